"""Is the flag on for these people now, and why? The fixed ladder, pure: it asks no database and never raises."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import mmh3

SCALE = 100_000
# Chains of prerequisites end here: Python's own limit would raise instead of answering.
DEEPEST = 50


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


@dataclass(frozen=True)
class Context:
    """Who is asking, where and when. Database ids find overrides; public ids are what percentages hash.

    `entitled_modules` is None where the caller does not know them.
    """

    organisation_id: int | None = None
    organisation_public_id: str = ""
    sector: str = ""
    person_id: int | None = None
    person_public_id: str = ""
    entitled_modules: frozenset[str] | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Override:
    """`author` and `expires_at` are for the explanation."""

    value: bool
    starts_at: datetime | None
    expires_at: datetime | None
    author: str
    reason: str

    def is_current(self, at: datetime) -> bool:
        return (self.starts_at is None or self.starts_at <= at) and (self.expires_at is None or self.expires_at > at)


@dataclass(frozen=True)
class Rules:
    """One flag as the ladder needs it, with the overrides for the context's person and organisation alone."""

    key: str
    is_enabled: bool = True
    is_killed: bool = False
    is_archived: bool = False
    rollout: int = SCALE
    bucket_by: str = "organisation"
    salt: str = ""
    module_key: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    allowed_sectors: tuple[str, ...] = ()
    blocked_sectors: tuple[str, ...] = ()
    prerequisites: tuple[str, ...] = ()
    person_override: Override | None = None
    organisation_override: Override | None = None


@dataclass(frozen=True)
class Explanation:
    """The answer, the rung that gave it and why; bucket and threshold where a percentage decided."""

    key: str
    value: bool
    rung: int
    reason: Reason
    sentence: str
    bucket: int | None = None
    threshold: int | None = None
    override: Override | None = None


@dataclass(frozen=True)
class Snapshot:
    """All flags at one moment, and what the operator forces."""

    flags: Mapping[str, Rules]
    forced: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """One climb. `seen` holds the flags on the way here, so that a circle of prerequisites ends; `met` holds the
    prerequisites that were found on, so that none is climbed twice (the first that is off ends the whole climb)."""

    rules: Rules
    context: Context
    at: datetime
    snapshot: Snapshot
    seen: frozenset[str]
    met: set[str]


Answer = Explanation | None


def evaluate(
    snapshot: Snapshot,
    key: str,
    context: Context,
    *,
    default: bool,
    at: datetime,
    seen: frozenset[str] = frozenset(),
    met: set[str] | None = None,
) -> Explanation:
    """Climb the ladder; the first rung that decides gives the answer. `seen` and `met` are the climb's own."""
    if key in snapshot.forced:
        value = snapshot.forced[key]
        return Explanation(key, value, 1, Reason.FORCED, f"forced {'on' if value else 'off'} by the operator.")
    rules = snapshot.flags.get(key)
    if rules is None:
        return Explanation(key, default, 0, Reason.UNKNOWN_FLAG, "unknown: the calling code's default holds.")
    question = Question(rules, context, at, snapshot, seen | {key}, set() if met is None else met)
    for rung in LADDER:
        if answer := rung(question):
            return answer
    return by_percentage(question)


def off(question: Question, rung: int, reason: Reason, sentence: str) -> Explanation:
    return Explanation(question.rules.key, False, rung, reason, sentence)


def not_killed(question: Question) -> Answer:
    if question.rules.is_archived:
        return off(question, 2, Reason.ARCHIVED, "it is archived.")
    if question.rules.is_killed:
        return off(question, 2, Reason.KILLED, "it is killed, which beats every override.")
    return None


def in_window(question: Question) -> Answer:
    starts_at, ends_at = question.rules.starts_at, question.rules.ends_at
    if starts_at and question.at < starts_at:
        return off(question, 3, Reason.BEFORE_WINDOW, f"its window begins {_moment(starts_at)}.")
    if ends_at and question.at >= ends_at:
        return off(question, 3, Reason.AFTER_WINDOW, f"its window ended {_moment(ends_at)}.")
    return None


def _moment(at: datetime) -> str:
    return f"{at:%d %b %Y %H:%M} UTC"


def prerequisites_met(question: Question) -> Answer:
    for key in question.rules.prerequisites:
        if key not in question.met and (answer := _prerequisite_met(question, key)):
            return answer
        question.met.add(key)
    return None


def _prerequisite_met(question: Question, key: str) -> Answer:
    if key in question.seen:
        return off(question, 4, Reason.PREREQUISITE_CIRCLE, f"its prerequisites lead in a circle through {key}.")
    if len(question.seen) >= DEEPEST:
        return off(question, 4, Reason.PREREQUISITES_TOO_DEEP, f"more than {DEEPEST} prerequisites follow each other.")
    needed = evaluate(
        question.snapshot,
        key,
        question.context,
        default=False,
        at=question.at,
        seen=question.seen,
        met=question.met,
    )
    if needed.reason is Reason.UNKNOWN_FLAG:
        return off(question, 4, Reason.PREREQUISITE_MISSING, f"its prerequisite {key} does not exist.")
    if not needed.value:
        return off(question, 4, Reason.PREREQUISITE_OFF, f"its prerequisite {key} is off: {needed.sentence}")
    return None


def module_entitled(question: Question) -> Answer:
    module, entitled = question.rules.module_key, question.context.entitled_modules
    if not module:
        return None
    if entitled is None:
        words = f"entitlement unknown: the caller did not say whether {module} is entitled."
        return off(question, 5, Reason.ENTITLEMENT_UNKNOWN, words)
    if module not in entitled:
        return off(question, 5, Reason.NOT_ENTITLED, f"the organisation does not have the module {module}.")
    return None


def overridden_for_person(question: Question) -> Answer:
    return _overridden(question, question.rules.person_override, 6, Reason.PERSON_OVERRIDE, "the person")


def overridden_for_organisation(question: Question) -> Answer:
    override = question.rules.organisation_override
    return _overridden(question, override, 7, Reason.ORGANISATION_OVERRIDE, "the organisation")


def _overridden(question: Question, override: Override | None, rung: int, reason: Reason, target: str) -> Answer:
    if override is None or not override.is_current(question.at):
        return None
    until = f" until {_moment(override.expires_at)}" if override.expires_at else ""
    words = (
        f"overridden {'on' if override.value else 'off'} for {target}{until} by {override.author}: {override.reason}"
    )
    return Explanation(question.rules.key, override.value, rung, reason, words, override=override)


def enabled(question: Question) -> Answer:
    return None if question.rules.is_enabled else off(question, 7, Reason.NOT_ENABLED, "it is not enabled.")


def sector_not_blocked(question: Question) -> Answer:
    sector = question.context.sector
    for prefix in question.rules.blocked_sectors:
        if sector and sector.startswith(prefix):
            return off(question, 8, Reason.SECTOR_BLOCKED, f"the sector {prefix} is blocked.")
    return None


def sector_allowed(question: Question) -> Answer:
    allowed, sector = question.rules.allowed_sectors, question.context.sector
    if not allowed:
        return None
    if not sector:
        return off(question, 9, Reason.SECTOR_UNKNOWN, "it is for some sectors, and the organisation's is unknown.")
    if not sector.startswith(allowed):
        return off(question, 9, Reason.SECTOR_NOT_ALLOWED, f"it is not for the sector {sector}.")
    return None


def by_percentage(question: Question) -> Explanation:
    """Rung 10, off for those outside; rung 11, on for those inside."""
    rules, context = question.rules, question.context
    unit = context.person_public_id if rules.bucket_by == "person" else context.organisation_public_id
    if not unit:
        words = f"its percentage goes by {rules.bucket_by}, and there is none."
        return off(question, 10, Reason.NOBODY_TO_COUNT, words)
    place, threshold = bucket(rules.salt, unit), rules.rollout
    percentage = f"the {threshold / 1000:g} % rollout."
    if place >= threshold:
        words = f"the {rules.bucket_by} is outside {percentage}"
        return Explanation(rules.key, False, 10, Reason.OUTSIDE_ROLLOUT, words, bucket=place, threshold=threshold)
    words = f"the {rules.bucket_by} is in {percentage}"
    return Explanation(rules.key, True, 11, Reason.IN_ROLLOUT, words, bucket=place, threshold=threshold)


def bucket(salt: str, unit: str) -> int:
    """Where the unit falls, 0 to 99,999: MurmurHash3 x86 32-bit of "salt:unit", scaled without bias."""
    return mmh3.hash(f"{salt}:{unit}", signed=False) * SCALE >> 32


LADDER: tuple[Callable[[Question], Answer], ...] = (
    not_killed,
    in_window,
    prerequisites_met,
    module_entitled,
    overridden_for_person,
    overridden_for_organisation,
    enabled,
    sector_not_blocked,
    sector_allowed,
)
