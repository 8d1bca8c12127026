"""Who asks about a flag, and how a climb of its ladder may end: the reason and the rung that decided."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Reason(StrEnum):
    """Why a flag answered as it did, for code; `Explanation.sentence` says it to people, with the particulars."""

    UNKNOWN_FLAG = "unknown flag"
    FORCED = "forced"
    ARCHIVED = "archived"
    KILLED = "killed"
    BEFORE_WINDOW = "before its window"
    AFTER_WINDOW = "after its window"
    PREREQUISITE_OFF = "prerequisite off"
    PREREQUISITE_MISSING = "prerequisite missing"
    PREREQUISITE_CIRCLE = "prerequisites in a circle"
    PREREQUISITES_TOO_DEEP = "prerequisites too deep"
    ENTITLEMENT_UNKNOWN = "entitlement unknown"
    NOT_ENTITLED = "not entitled"
    PERSON_OVERRIDE = "override for the person"
    ORGANISATION_OVERRIDE = "override for the organisation"
    NOT_ENABLED = "not enabled"
    SECTOR_BLOCKED = "sector blocked"
    SECTOR_UNKNOWN = "sector unknown"
    SECTOR_NOT_ALLOWED = "sector not allowed"
    NOBODY_TO_COUNT = "nobody to count"
    OUTSIDE_ROLLOUT = "outside the rollout"
    IN_ROLLOUT = "in the rollout"


# The rung of DOMAIN's ladder on which each reason decides.
RUNGS = {
    Reason.UNKNOWN_FLAG: 0,
    Reason.FORCED: 1,
    Reason.ARCHIVED: 2,
    Reason.KILLED: 2,
    Reason.BEFORE_WINDOW: 3,
    Reason.AFTER_WINDOW: 3,
    Reason.PREREQUISITE_OFF: 4,
    Reason.PREREQUISITE_MISSING: 4,
    Reason.PREREQUISITE_CIRCLE: 4,
    Reason.PREREQUISITES_TOO_DEEP: 4,
    Reason.ENTITLEMENT_UNKNOWN: 5,
    Reason.NOT_ENTITLED: 5,
    Reason.PERSON_OVERRIDE: 6,
    Reason.ORGANISATION_OVERRIDE: 7,
    Reason.NOT_ENABLED: 7,
    Reason.SECTOR_BLOCKED: 8,
    Reason.SECTOR_UNKNOWN: 9,
    Reason.SECTOR_NOT_ALLOWED: 9,
    Reason.NOBODY_TO_COUNT: 10,
    Reason.OUTSIDE_ROLLOUT: 10,
    Reason.IN_ROLLOUT: 11,
}


@dataclass(frozen=True, slots=True)
class Context:
    """Who is asking and where: public ids, which overrides name and percentages hash; "" where there is none.

    `entitled_modules` is None where the caller does not know them.
    """

    organisation: str = ""
    person: str = ""
    sector: str = ""
    entitled_modules: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """An exception for one organisation or person, named by `target`, its public id."""

    target: str
    is_for_person: bool
    is_on: bool
    variant: str
    reason: str
    author: str
    starts_at: datetime | None
    expires_at: datetime | None

    def is_current(self, at: datetime) -> bool:
        return (self.starts_at is None or self.starts_at <= at) and (self.expires_at is None or self.expires_at > at)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """How a climb ended, without the flag's value. What is the same for many climbs is made once: to compare and count
    outcomes is to compare and count objects."""

    is_on: bool
    reason: Reason
    rung: int
    override: Override | None = None
