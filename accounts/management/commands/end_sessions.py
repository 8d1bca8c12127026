"""Signs people out: one person, an organisation's members, or everybody."""

from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from typing import Any

from accounts import actions
from accounts.models import Session
from accounts.naming import person_named
from tenants.naming import organisation_named
from tenants.operations import ChangingCommand, UsageError


class Command(ChangingCommand):
    help = (
        "Sign out EMAIL everywhere, all members of an --organisation, or --everybody. They can sign in again: to keep"
        " somebody out, deactivate them in the admin site."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", nargs="?", default="")
        parser.add_argument("--organisation", default="", metavar="SLUG", help="all its members, wherever they work")
        parser.add_argument("--everybody", action="store_true", help="as after a leak; yourself included")

    def change(
        self, *, by: Any, reason: str, email: str, organisation: str, everybody: bool, **options: Any
    ) -> list[str]:
        if sum(map(bool, (email, organisation, everybody))) != 1:
            raise UsageError("Name one of EMAIL, --organisation SLUG and --everybody.")
        sessions, end, whose = self._asked(email, organisation)
        if not sessions.exists():
            self.report.note("unchanged", f"no sessions of {whose}")
            return []
        ended = self.report.data["sessions"] = end(by=by, reason=reason)
        self.report.note("sign-in", "they can sign in again; deactivating somebody keeps them out")
        return [f"end {ended} session{'' if ended == 1 else 's'} of {whose}"]

    def _asked(self, email: str, slug: str) -> tuple[Any, Callable[..., int], str]:
        """Which sessions, the action that ends them, and whose they are in words."""
        if slug:
            organisation = organisation_named(slug)
            sessions = Session.objects.of_members(organisation)
            return sessions, partial(actions.end_sessions_in, organisation), f"the members of {organisation}"
        if not email:
            return Session.objects.signed_in(), actions.end_all_sessions, "everybody"
        person = person_named(email)
        return person.sessions, partial(actions.end_sessions, person), str(person)
