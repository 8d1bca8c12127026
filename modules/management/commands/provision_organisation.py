"""Makes or completes an organisation: its plan, its modules and its first admin."""

from argparse import ArgumentParser
from typing import Any

from accounts.naming import require_address
from modules.onboarding import Onboarding
from tenants.models import Organisation, Plan, Role
from tenants.operations import ChangingCommand

FIELDS = ("name", "industry", "sector", "plan", "auth0_organisation_id")


class Command(ChangingCommand):
    help = (
        "Make the organisation SLUG, or add to it what is missing: modules, and its first admin by invitation. What is"
        " there and differs is told as drift and stays, unless --update. A second run makes 0 changes."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="names the organisation in addresses, as in /o/lumen-cinemas/")
        parser.add_argument("--name", help="needed for a new one")
        parser.add_argument("--industry", choices=Organisation.Industry.values)
        parser.add_argument("--sector", help="UK SIC 2007 code, for example 59140")
        parser.add_argument("--plan", choices=Plan.values)
        parser.add_argument("--auth0-id", dest="auth0_organisation_id", help="the organisation's id at Auth0")
        parser.add_argument("--entitle", nargs="+", default=[], metavar="MODULE", help="keys of modules, from now on")
        parser.add_argument("--admin", default="", metavar="EMAIL", help="invited, or made admin if known here")
        parser.add_argument("--update", action="store_true", help="change what differs")

    def change(self, *, by: Any, reason: str, slug: str, entitle: list[str], admin: str, **options: Any) -> list[str]:
        admin = require_address(admin) if admin else ""
        wanted = {name: options[name] for name in FIELDS if options[name] is not None}
        run = Onboarding(by=by, reason=reason, report=self.report, updates=options["update"])
        organisation = run.organisation(slug, wanted)
        run.entitlements(organisation, entitle)
        if admin:
            run.person(admin, organisation, Role.ADMIN.value, [])
        return run.changes
