"""Invites somebody into an organisation."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import actions
from accounts.models import Invitation
from accounts.naming import require_address
from tenants.models import Membership, Organisation, Role
from tenants.naming import organisation_named
from tenants.operations import ChangingCommand


class Command(ChangingCommand):
    help = (
        "Let EMAIL enter ORGANISATION with a role, by signing in with that address, verified. Whoever belongs to it"
        " already, or has an open invitation, stays as they are."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("organisation", help="its slug")
        parser.add_argument("role", choices=Role.values)

    def change(self, *, by: Any, reason: str, email: str, organisation: str, role: str, **options: Any) -> list[str]:
        address, tenant = require_address(email), organisation_named(organisation)
        if standing := standing_in(tenant, address):
            self.report.note("unchanged", standing)
            return []
        try:
            with transaction.atomic():
                invitation = actions.invite(tenant, address, role, by=by, reason=reason)
        except IntegrityError:
            self.report.note("unchanged", f"somebody invited {address} to {tenant} at this moment")
            return []
        self.report.note("next", f"they open {settings.PUBLIC_URL}/ and sign in with that address, verified")
        return [f"invite {address} to {tenant} as {role}, until {invitation.expires_at:%d %b %Y %H:%M} UTC"]


def standing_in(organisation: Organisation, email: str) -> str:
    """What the address is in the organisation already, in words; empty when it is nothing there."""
    member = Membership.objects.filter(organisation=organisation, user__email__iexact=email).first()
    if member:
        return f"{email} belongs to {organisation} already, as {member.role}"
    invitation = Invitation.objects.filter(organisation=organisation).open_for(email, at=timezone.now()).first()
    return f"{email} has an open invitation to {organisation} already, as {invitation.role}" if invitation else ""
