"""May this person open this module now, and why? One ladder of nine rungs; the first that fails decides.

`load_facts` asks the database once for a request; everything after it is pure.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from django.utils import timezone

from modules import registry
from modules.flags import evaluation as flags
from modules.models import AnalyticsModule, Application, ApplicationGrant, Entitlement
from tenants import scope
from tenants.models import Organisation, Plan, Role
from tenants.seats import Seat, seat_of

ZEBRA = "Zebra Associates"
ON_REQUEST = "Zebra Associates, when your organisation asks for it"
Status = AnalyticsModule.Status


@dataclass(frozen=True)
class Facts:
    """What the decision rests on. `entitled` holds the keys of modules with a current entitlement."""

    person: Any
    organisation: Organisation
    seat: Seat | None
    catalogue: dict[str, AnalyticsModule]
    entitled: frozenset[str]
    applications: frozenset[str]
    at: datetime

    @property
    def available(self) -> frozenset[str]:
        """Keys of the modules that the organisation has now: installed, offered and entitled (rungs 4 to 6)."""
        return frozenset(key for key in self.catalogue if not _first_failure(self, key, AVAILABILITY))


@dataclass(frozen=True)
class Failure:
    reason: str
    who_can_open: str = ZEBRA


@dataclass(frozen=True)
class Rung:
    """One step of the ladder as it went: `state` is "passed", "failed" or "not reached"."""

    number: int
    title: str
    state: str
    reason: str = ""


@dataclass(frozen=True)
class Decision:
    """Open or closed, with every rung. `who_can_open` says whom to ask; `notice` goes with an open module."""

    module_key: str
    module_name: str
    rungs: tuple[Rung, ...]
    who_can_open: str = ""
    notice: str = ""

    @property
    def deciding(self) -> Rung | None:
        return next((rung for rung in self.rungs if rung.state == "failed"), None)

    @property
    def is_open(self) -> bool:
        return self.deciding is None

    @property
    def reason(self) -> str:
        return self.deciding.reason if self.deciding else "Every condition is met."


Condition = Callable[[Facts, str], Failure | None]
Ladder = tuple[tuple[str, Condition], ...]


def load_facts(person: Any, organisation: Organisation, seat: Seat | None, *, at: datetime) -> Facts:
    """Read catalogue, entitlements and grants, one query each, inside the organisation's scope."""
    return Facts(
        person=person,
        organisation=organisation,
        seat=seat,
        catalogue={module.key: module for module in AnalyticsModule.objects.order_by("application", "name", "pk")},
        entitled=frozenset(Entitlement.objects.current(at=at).values_list("module__key", flat=True)),
        applications=_applications(seat),
        at=at,
    )


def _applications(seat: Seat | None) -> frozenset[str]:
    if seat is None:
        return frozenset()
    if seat.is_acting:
        return frozenset(Application.values)
    grants = ApplicationGrant.objects.filter(membership=seat.membership)
    return frozenset(grants.values_list("application", flat=True))


def catalogue_keys() -> list[str]:
    """Of all modules that there are here, offered or not."""
    return list(AnalyticsModule.objects.order_by("key").values_list("key", flat=True))


def available_modules(*, at: datetime) -> Callable[[Organisation, bool], frozenset[str]]:
    """Which modules does an organisation have then, in the eyes of staff or of others? For many; in platform scope."""
    catalogue = {module.key: module for module in AnalyticsModule.objects.all()}
    entitled: defaultdict[int, set[str]] = defaultdict(set)
    for pk, key in Entitlement.objects.current(at=at).values_list("organisation_id", "module__key"):
        entitled[pk].add(key)
    known: dict[tuple[int, bool], frozenset[str]] = {}

    def available(organisation: Organisation, is_staff: bool) -> frozenset[str]:
        place = (organisation.pk, is_staff)
        if place not in known:
            has = frozenset(entitled[organisation.pk])
            eyes = SimpleNamespace(is_staff=is_staff)
            known[place] = Facts(eyes, organisation, None, catalogue, has, frozenset(), at).available
        return known[place]

    return available


def flag_context(facts: Facts) -> flags.Context:
    """Who is asking, in the words of the flags."""
    return flags.Context(
        organisation=str(facts.organisation.public_id),
        person=str(getattr(facts.person, "public_id", "")),
        sector=facts.organisation.sector,
        entitled_modules=facts.available,
    )


def decide(facts: Facts, key: str) -> Decision:
    """Climb the ladder for the module; the answer holds every rung, also those that were not reached."""
    rungs, failure = _climb(LADDER, facts, key)
    return Decision(
        module_key=key,
        module_name=_name(facts, key),
        rungs=rungs,
        who_can_open=failure.who_can_open if failure else "",
        notice="" if failure else _notice(facts, key),
    )


def decide_entry(facts: Facts) -> Decision:
    """As far as the organisation's own pages ask: what stands on the ladder before any module."""
    rungs, failure = _climb(ENTRY, facts, "")
    return Decision("", "", rungs, who_can_open=failure.who_can_open if failure else "")


def _climb(ladder: Ladder, facts: Facts, key: str) -> tuple[tuple[Rung, ...], Failure | None]:
    rungs: list[Rung] = []
    failure: Failure | None = None
    for number, (title, condition) in enumerate(ladder, start=1):
        if failure:
            rungs.append(Rung(number, title, "not reached"))
            continue
        failure = condition(facts, key)
        rungs.append(Rung(number, title, "failed" if failure else "passed", failure.reason if failure else ""))
    return tuple(rungs), failure


def decide_now(person: Any, organisation: Organisation, key: str = "") -> Decision:
    """The decision for anybody, outside a request; without a key that of the organisation's own pages.

    Who asks so only wants to know: it does not count as use of the module's flag.
    """
    seat = seat_of(person, organisation)
    with scope.organisation(organisation.pk), flags.using(flags.Context(), is_counted=False):
        facts = load_facts(person, organisation, seat, at=timezone.now())
        return decide(facts, key) if key else decide_entry(facts)


def _name(facts: Facts, key: str) -> str:
    row, spec = facts.catalogue.get(key), registry.get(key)
    return row.name if row else spec.name if spec else key


def _notice(facts: Facts, key: str) -> str:
    return {
        Status.DEPRECATED: "This module is deprecated and will be retired.",
        Status.TESTING: "This module is being tested: only staff see it.",
    }.get(Status(facts.catalogue[key].status), "")


def _first_failure(facts: Facts, key: str, conditions: tuple[Condition, ...]) -> Failure | None:
    return next((failure for condition in conditions if (failure := condition(facts, key))), None)


def signed_in(facts: Facts, key: str) -> Failure | None:
    if not facts.person.is_authenticated:
        return Failure("Nobody is signed in.", "you, by signing in")
    if not facts.person.is_active:
        return Failure("The person's account is deactivated.")
    return None


def seated(facts: Facts, key: str) -> Failure | None:
    if facts.seat is None:
        return Failure("The person does not belong to the organisation.", "Zebra Associates, by inviting the person")
    return None


def organisation_active(facts: Facts, key: str) -> Failure | None:
    return Failure("The organisation is suspended.") if facts.organisation.is_suspended else None


def installed(facts: Facts, key: str) -> Failure | None:
    return None if registry.get(key) else Failure("The module is not installed.")


def offered(facts: Facts, key: str) -> Failure | None:
    module = facts.catalogue.get(key)
    if module is None:
        return Failure("The module is not in the catalogue.")
    if module.status == Status.TESTING:
        return None if facts.person.is_staff else Failure("The module is being tested and not offered yet.")
    if module.status == Status.DEVELOPMENT:
        return Failure("The module is in development and not offered yet.")
    if module.status == Status.RETIRED:
        return Failure("The module is retired and no longer offered.", "nobody: it is gone for good")
    return None


def entitled(facts: Facts, key: str) -> Failure | None:
    module = facts.catalogue[key]
    if not Plan(facts.organisation.plan).covers(module.plan):
        needed, has = Plan(module.plan).label, facts.organisation.get_plan_display()
        return Failure(f"The module needs the {needed} plan; the organisation has {has}.")
    if not module.is_core and key not in facts.entitled:
        return Failure("The organisation is not entitled to the module at this time.")
    return None


AVAILABILITY: tuple[Condition, ...] = (installed, offered, entitled)


def dependencies_available(facts: Facts, key: str) -> Failure | None:
    spec = registry.get(key)
    for dependency in spec.dependencies if spec else ():
        failure = _first_failure(facts, dependency, AVAILABILITY) or dependencies_available(facts, dependency)
        if failure:
            return Failure(f"It needs {_name(facts, dependency)}. {failure.reason}", failure.who_can_open)
    return None


def person_allowed(facts: Facts, key: str) -> Failure | None:
    spec, seat = registry.get(key), facts.seat
    if spec is None or seat is None:
        return Failure("The person has no seat.")
    if spec.application not in facts.applications:
        return Failure(f"The person has not been given {Application(spec.application).label}.", ON_REQUEST)
    if not seat.role.covers(spec.role):
        return Failure(
            f"The module asks for the role {Role(spec.role).label}; the person's is {seat.role.label}.", ON_REQUEST
        )
    return None


def flag_on(facts: Facts, key: str) -> Failure | None:
    spec = registry.get(key)
    if spec is None or not spec.flag:
        return None
    explanation = flags.explain(spec.flag, default=False, context=flag_context(facts))
    return None if explanation.is_on else Failure(f"The flag {spec.flag} is off: {explanation.sentence}")


ENTRY: Ladder = (
    ("Signed in, and the person is active", signed_in),
    ("The person belongs to the organisation", seated),
    ("The organisation is active", organisation_active),
)
LADDER: Ladder = (
    *ENTRY,
    ("The module is installed", installed),
    ("The module is offered", offered),
    ("The organisation is entitled to it", entitled),
    ("All that it depends on is available", dependencies_available),
    ("The person has the application and the role", person_allowed),
    ("Its feature flag is on", flag_on),
)
FLAG_RUNG = len(LADDER)
