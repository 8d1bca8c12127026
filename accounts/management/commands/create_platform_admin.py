"""Makes the one-time link by which the first superuser of an empty production comes in."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.urls import reverse

from accounts import actions
from accounts.models import User
from accounts.naming import require_address
from tenants.operations import ChangingCommand


class Command(ChangingCommand):
    help = (
        "Make a one-time link, shown once, that makes who signs in with EMAIL a platform superuser. Only while there"
        " is none: `grant_role EMAIL --superuser` makes others."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def change(self, *, by: Any, reason: str, email: str, **options: Any) -> list[str]:
        address = require_address(email)
        if User.objects.filter(is_superuser=True, is_active=True).exists():
            raise CommandError("There is an active superuser: `grant_role EMAIL --superuser` makes others.")
        token = actions.make_platform_admin_link(address, by=by, reason=reason)
        if self.is_applied:
            self.handed_out = link = f"{settings.PUBLIC_URL}{reverse('claim', args=[token])}"
            self.report.data["link"] = link
            hours = settings.PLATFORM_ADMIN_LINK_HOURS
            self.report.note("link", f"within {hours} hours, {address} opens this once and signs in: {link}")
        return [f"make a one-time link for {address}"]
