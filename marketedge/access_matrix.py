"""Role x route x organisation: what each kind of person may open in each organisation, by the decisions of the product.

The people are stand-ins with every application, so that a route shows what the role and the organisation alone allow.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from django.utils import timezone

from marketedge.routes import Audience, Route
from modules import access, registry
from modules.flags import evaluation as flags
from modules.models import Application
from tenants import scope
from tenants.models import Membership, Organisation, Role
from tenants.operations import Report
from tenants.seats import Seat

NOBODY, STRANGER, SUPERUSER = "nobody", "somebody of another organisation", "superuser"
KINDS = (NOBODY, STRANGER, *Role.values, SUPERUSER)
# Whoever stands later in it may open all that those before may.
GROWING = (STRANGER, *Role.values)


@dataclass(frozen=True)
class Row:
    """One address in one organisation, and the kinds of people who may open it."""

    organisation: str
    path: str
    open_to: tuple[str, ...]


def rows(organisation: Organisation, routes: Iterable[Route]) -> list[Row]:
    """A row for each route inside the organisation; asks the database for what it is entitled to, and nothing else."""
    seats = {kind: _seat(organisation, kind) for kind in KINDS}
    with scope.organisation(organisation.pk):
        facts = access.load_facts(_person(SUPERUSER), organisation, seats[SUPERUSER], at=timezone.now())
    of_kind = {
        kind: replace(facts, person=_person(kind), seat=seat, applications=frozenset(Application.values))
        for kind, seat in seats.items()
    }
    with flags.using(flags.Context(), is_counted=False):
        open_modules = {
            spec.key: {kind for kind in KINDS if access.decide(of_kind[kind], spec.key).is_open}
            for spec in registry.all_specs()
        }
    return [
        Row(organisation.slug, route.path, tuple(_who(route, seats, open_modules)))
        for route in routes
        if Audience.SEATED in route.audiences or Audience.MODULE in route.audiences
    ]


def _who(route: Route, seats: dict[str, Seat | None], open_modules: dict[str, set[str]]) -> Iterator[str]:
    needed = getattr(route.view, "needs_role", None)
    for kind, seat in seats.items():
        if seat is None or seat.organisation.is_suspended:
            continue
        if route.module and kind not in open_modules[route.module]:
            continue
        if needed is None or seat.role.covers(needed):
            yield kind


def _seat(organisation: Organisation, kind: str) -> Seat | None:
    if kind in {NOBODY, STRANGER}:
        return None
    if kind == SUPERUSER:
        return Seat(_person(kind), organisation, Role.VIEWER, None)
    membership = Membership(organisation=organisation, role=kind)
    return Seat(_person(kind), organisation, Role(kind), membership)


def _person(kind: str) -> Any:
    is_super = kind == SUPERUSER
    rights = {"is_authenticated": kind != NOBODY, "is_active": True, "is_staff": is_super, "is_superuser": is_super}
    return SimpleNamespace(pk=None, public_id="", **rights)


def examine(organisation: Organisation, found: list[Row]) -> Report:
    """Hold the rows against what must always be so."""
    report, subject = Report(), f"organisation {organisation.slug}"
    for row in found:
        for says in _faults(organisation, row):
            report.problem(subject, f"/{row.path} {says}", "The decisions are in modules/access.py.")
    if not report.findings:
        counted = ", ".join(f"{kind} {sum(kind in row.open_to for row in found)}" for kind in KINDS)
        report.ok(subject, f"addresses open to each: {counted}, of {len(found)}")
    return report


def _faults(organisation: Organisation, row: Row) -> Iterator[str]:
    for kind in {NOBODY, STRANGER} & set(row.open_to):
        yield f"is open to {kind}"
    if organisation.is_suspended and row.open_to:
        yield "is open although the organisation is suspended"
    for weaker, stronger in pairwise(GROWING):
        if weaker in row.open_to and stronger not in row.open_to:
            yield f"is open to {weaker} and closed to {stronger}"
