"""Invites somebody into an organisation."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import IntegrityError
from django.utils import timezone

from accounts import actions
from accounts.models import Invitation, User
from tenants import scope
from tenants.models import Membership, Organisation, Role


class Command(BaseCommand):
    help = "Let an address enter an organisation with a role. Exit code 0: invited, 1: not needed, 2: bad input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("organisation", help="its slug")
        parser.add_argument("role", choices=list(Role))
        parser.add_argument("--reason", required=True, help="kept in the audit")
        parser.add_argument("--by", default="", help="the address of the person who invites")

    def handle(
        self, *args: Any, email: str, organisation: str, role: str, reason: str, by: str, **options: Any
    ) -> None:
        tenant = Organisation.objects.filter(slug=organisation).first()
        if tenant is None:
            raise CommandError(f"There is no organisation {organisation}.", returncode=2)
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(f"{email} is not an e-mail address.", returncode=2) from None
        inviter = User.objects.with_email(by).first() if by else None
        if by and inviter is None:
            raise CommandError(f"Nobody has the address {by}.", returncode=2)
        with scope.organisation(tenant.pk):
            refuse_if_needless(tenant, email)
            try:
                invitation = actions.invite(tenant, email, role, by=inviter, reason=reason)
            except IntegrityError:
                # Somebody else invited the address since we looked.
                raise CommandError(f"{email} has an open invitation to {tenant} already.", returncode=1) from None
        self.stdout.write(
            f"{email} is invited to {tenant} as {role}, until {invitation.expires_at:%d %b %Y %H:%M} UTC.\n"
            f"They open {settings.PUBLIC_URL}/ and sign in with that address, verified."
        )


def refuse_if_needless(organisation: Organisation, email: str) -> None:
    if Membership.objects.filter(organisation=organisation, user__email__iexact=email).exists():
        raise CommandError(f"{email} belongs to {organisation} already.", returncode=1)
    if Invitation.objects.filter(organisation=organisation).open_for(email, at=timezone.now()).exists():
        raise CommandError(f"{email} has an open invitation to {organisation} already.", returncode=1)
