"""Who may open which address? The whole product, or one person in one organisation."""

from argparse import ArgumentParser
from collections import Counter
from dataclasses import asdict
from typing import Any

from accounts.models import User
from marketedge import access_matrix, health
from marketedge.routes import Audience, Route, all_routes, examine
from modules import access
from tenants.models import Organisation, Role
from tenants.operations import LookingCommand, Report, UsageError
from tenants.seats import Seat, seat_of


class Command(LookingCommand):
    help = (
        "Hold every address against the list of who may call it, and look through role x address in each organisation."
        " With --email and --organisation, say what that person may open there, and why not. Exit code 0: as it must"
        " be, 1: not so."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", dest="in_full", help="one line for each address")
        parser.add_argument("--offline", action="store_true", help="leave out what needs the database")
        parser.add_argument("--email", help="of the person to look through")
        parser.add_argument("--organisation", help="its slug")

    def look(
        self, *, in_full: bool, offline: bool, email: str | None, organisation: str | None, **options: Any
    ) -> Report:
        # What is given and empty was meant as something: a variable that is not set must not pass for all being well.
        if (email is None) != (organisation is None) or email == "" or organisation == "":
            raise UsageError("Give --email and --organisation together.")
        routes = all_routes()
        self.report.add(examine(routes))
        if email and organisation:
            person, tenant = _person(email), _organisation(organisation)
            self._tell_person(routes, person, tenant, in_full)
        else:
            self._tell_lists(routes, in_full)
            if not offline:
                self._tell_organisations(routes, in_full)
        return self.report

    def _tell_lists(self, routes: list[Route], in_full: bool) -> None:
        counted = Counter(audience for route in routes for audience in route.audiences)
        for audience in Audience:
            self.report.note(audience, f"{counted[audience]} addresses")
        self.report.note("anybody", f"and those ahead of the list: {', '.join(health.ANSWERS)}")
        rows = [{"path": f"/{route.path}", "for": list(route.audiences), "role": role_of(route)} for route in routes]
        self.report.data["routes"] = rows
        for route in routes if in_full else []:
            role = f" (role {role_of(route)})" if role_of(route) else ""
            self.report.note(", ".join(route.audiences), f"/{route.path}{role}")

    def _tell_organisations(self, routes: list[Route], in_full: bool) -> None:
        matrix = []
        for organisation in Organisation.objects.in_reading_order():
            rows = access_matrix.rows(organisation, routes)
            matrix += rows
            self.report.add(access_matrix.examine(organisation, rows))
        self.report.data["matrix"] = [asdict(row) for row in matrix]
        for row in matrix if in_full else []:
            self.report.note(row.organisation, f"/{row.path}: {', '.join(row.open_to) or 'closed to all'}")

    def _tell_person(self, routes: list[Route], person: User, organisation: Organisation, in_full: bool) -> None:
        seat = seat_of(person, organisation)
        as_what = f"{seat.role.label}{', acting' if seat.is_acting else ''}" if seat else "no seat"
        self.report.note("person", f"{person} in {organisation}: {as_what}")
        answers = _Answers(person, organisation, seat)
        rows = [{"path": f"/{route.path}", "closed_because": answers.closed_because(route)} for route in routes]
        self.report.data |= {"person": person.email, "organisation": organisation.slug, "routes": rows}
        for row in rows:
            if in_full or not row["path"].startswith("/admin/") or row["path"] == "/admin/":
                self.report.note("closed" if row["closed_because"] else "open", _told(row))


def _told(row: dict[str, str]) -> str:
    return f"{row['path']}: {row['closed_because']}" if row["closed_because"] else row["path"]


def _person(email: str) -> User:
    person = User.objects.with_email(email).first()
    if person is None:
        raise UsageError(f"Nobody has the address {email}.")
    return person


def _organisation(slug: str) -> Organisation:
    organisation = Organisation.objects.filter(slug=slug).first()
    if organisation is None:
        raise UsageError(f"There is no organisation {slug}.")
    return organisation


def role_of(route: Route) -> str:
    """The role that the view asks for by itself, beside what its module asks for."""
    return str(getattr(route.view, "needs_role", ""))


class _Answers:
    """Why an address is closed for the person in the organisation, or "" when it is open."""

    def __init__(self, person: User, organisation: Organisation, seat: Seat | None) -> None:
        self.person = person
        self.organisation = organisation
        self.seat = seat
        self.decisions: dict[str, access.Decision] = {}

    def closed_because(self, route: Route) -> str:
        if Audience.ANYBODY in route.audiences:
            return ""
        if not self.person.is_active:
            return "The person's account is deactivated."
        if Audience.SIGNED_IN in route.audiences:
            return ""
        if Audience.STAFF in route.audiences:
            return "" if self.person.is_staff else "The admin site is for staff."
        return self._inside(route)

    def _inside(self, route: Route) -> str:
        if self.seat is None:
            return "The person does not belong to the organisation."
        if self.organisation.is_suspended:
            return "The organisation is suspended."
        if route.module and not (decision := self._decision(route.module)).is_open:
            return decision.reason
        needed = role_of(route)
        if needed and not self.seat.role.covers(needed):
            return f"It asks for the role {Role(needed).label}; the person's is {self.seat.role.label}."
        return ""

    def _decision(self, key: str) -> access.Decision:
        if key not in self.decisions:
            self.decisions[key] = access.decide_now(self.person, self.organisation, key)
        return self.decisions[key]
