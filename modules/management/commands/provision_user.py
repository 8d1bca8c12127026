"""Lets a person into an organisation: by an invitation, or, if they are known here, as a member."""

from argparse import ArgumentParser
from typing import Any

from accounts.naming import require_address
from modules.models import Application
from modules.onboarding import Onboarding
from tenants.models import Role
from tenants.naming import organisation_named
from tenants.operations import ChangingCommand


class Command(ChangingCommand):
    help = (
        "Invite EMAIL into an organisation; somebody who is known here becomes a member at once, with the"
        " applications named. What is there and differs is told as drift and stays. A second run makes 0 changes."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--organisation", required=True, metavar="SLUG")
        parser.add_argument("--role", choices=Role.values, default=Role.VIEWER.value, help="viewer unless given")
        parser.add_argument("--applications", nargs="+", default=[], choices=Application.values)

    def change(
        self,
        *,
        by: Any,
        reason: str,
        email: str,
        organisation: str,
        role: str,
        applications: list[str],
        **options: Any,
    ) -> list[str]:
        address = require_address(email)
        run = Onboarding(by=by, reason=reason, report=self.report)
        run.person(address, organisation_named(organisation), role, applications)
        return run.changes
