"""Says who is behind an address, why they cannot sign in, and why a page is closed to them."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.naming import require_address
from accounts.standing import tell_standing
from modules import callers
from modules.models import Application, ApplicationGrant
from tenants import scope
from tenants.operations import LookingCommand, Report


class Command(LookingCommand):
    help = (
        "Say who has the address EMAIL: identities, roles, applications, sessions, invitations, the last sign-ins and"
        " refusals with what to do. With --explain, also whether they may open an address of the product, and why."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--explain", default="", metavar="URL", help="a whole address or a path of the product")

    def look(self, *, email: str, explain: str, **options: Any) -> Report:
        address = require_address(email)
        if explain:
            callers.find(explain)
        with scope.platform():
            person = tell_standing(self.report, address, at=timezone.now())
            if person:
                _tell_applications(self.report, person)
            if explain:
                _explain(self.report, person, explain)
        return self.report


def _tell_applications(report: Report, person: User) -> None:
    grants = ApplicationGrant.objects.filter(membership__user=person).order_by("organisation__slug", "application")
    given: dict[str, list[str]] = {membership["organisation"]: [] for membership in report.data["memberships"]}
    for slug, application in grants.values_list("organisation__slug", "application"):
        given[slug].append(application)
    for membership in report.data["memberships"]:
        slug = membership["organisation"]
        membership["applications"] = given[slug]
        labels = ", ".join(Application(application).label for application in given[slug])
        report.note("applications", f"in {slug}: {labels or 'none, so that no module opens'}")


def _explain(report: Report, person: User | None, url: str) -> None:
    if person is None:
        report.note("address", f"{callers.find(url).path} was not explained: it takes a person")
        return
    callers.explain(report, person, url)
