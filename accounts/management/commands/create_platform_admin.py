"""Makes the one-time link by which the first superuser of an empty production comes in."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.urls import reverse

from accounts import actions
from accounts.models import User
from tenants import scope


class Command(BaseCommand):
    help = "Print a one-time link that makes who signs in with EMAIL a platform superuser. Only while there is none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="kept in the audit")

    def handle(self, *args: Any, email: str, reason: str, **options: Any) -> None:
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(f"{email} is not an e-mail address.", returncode=2) from None
        if User.objects.filter(is_superuser=True, is_active=True).exists():
            raise CommandError("There is an active superuser: they make others in the admin site.", returncode=1)
        with scope.platform():
            token = actions.make_platform_admin_link(email, reason=reason)
        self.stdout.write(
            f"Within {settings.PLATFORM_ADMIN_LINK_HOURS} hours, {email} opens this link once and signs in:\n"
            f"{settings.PUBLIC_URL}{reverse('claim', args=[token])}"
        )
