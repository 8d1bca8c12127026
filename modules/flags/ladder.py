"""Is the flag on for these people now, and why? The fixed ladder, pure: it asks no database and never raises."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import mmh3

SCALE = 100_000


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
    """The answer, the rung that gave it and the reason in words; bucket and threshold where a percentage decided."""

    key: str
    value: bool
    rung: int
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
    """One climb. `seen` holds the flags on the way here, so that a circle of prerequisites ends."""

    rules: Rules
    context: Context
    at: datetime
    snapshot: Snapshot
    seen: frozenset[str]


Answer = Explanation | None


def evaluate(
    snapshot: Snapshot, key: str, context: Context, *, default: bool, at: datetime, seen=frozenset()
) -> Explanation:
    """Climb the ladder; the first rung that decides gives the answer."""
    if key in snapshot.forced:
        value = snapshot.forced[key]
        return Explanation(key, value, 1, f"forced {'on' if value else 'off'} by the operator.")
    rules = snapshot.flags.get(key)
    if rules is None:
        return Explanation(key, default, 0, "unknown: the calling code's default holds.")
    question = Question(rules, context, at, snapshot, seen | {key})
    for rung in LADDER:
        if answer := rung(question):
            return answer
    return Explanation(key, True, 11, "on.")


def off(question: Question, rung: int, sentence: str) -> Explanation:
    return Explanation(question.rules.key, False, rung, sentence)


def not_killed(question: Question) -> Answer:
    if question.rules.is_archived:
        return off(question, 2, "it is archived.")
    return off(question, 2, "it is killed, which beats every override.") if question.rules.is_killed else None


def in_window(question: Question) -> Answer:
    rules = question.rules
    if rules.starts_at and question.at < rules.starts_at:
        return off(question, 3, f"its window begins {rules.starts_at:%d %b %Y %H:%M} UTC.")
    if rules.ends_at and question.at >= rules.ends_at:
        return off(question, 3, f"its window ended {rules.ends_at:%d %b %Y %H:%M} UTC.")
    return None


def prerequisites_met(question: Question) -> Answer:
    for key in question.rules.prerequisites:
        if key in question.seen:
            return off(question, 4, f"its prerequisites lead in a circle through {key}.")
        needed = evaluate(question.snapshot, key, question.context, default=False, at=question.at, seen=question.seen)
        if not needed.value:
            return off(question, 4, f"its prerequisite {key} is off: {needed.sentence}")
    return None


def module_entitled(question: Question) -> Answer:
    module, entitled = question.rules.module_key, question.context.entitled_modules
    if not module:
        return None
    if entitled is None:
        return off(question, 5, f"entitlement unknown: the caller did not say whether {module} is entitled.")
    return None if module in entitled else off(question, 5, f"the organisation does not have the module {module}.")


def overridden_for_person(question: Question) -> Answer:
    return _overridden(question, question.rules.person_override, 6, "the person")


def overridden_for_organisation(question: Question) -> Answer:
    return _overridden(question, question.rules.organisation_override, 7, "the organisation")


def _overridden(question: Question, override: Override | None, rung: int, target: str) -> Answer:
    if override is None or not override.is_current(question.at):
        return None
    until = f" until {override.expires_at:%d %b %Y %H:%M} UTC" if override.expires_at else ""
    words = (
        f"overridden {'on' if override.value else 'off'} for {target}{until} by {override.author}: {override.reason}"
    )
    return Explanation(question.rules.key, override.value, rung, words, override=override)


def enabled(question: Question) -> Answer:
    return None if question.rules.is_enabled else off(question, 7, "it is not enabled.")


def sector_not_blocked(question: Question) -> Answer:
    sector = question.context.sector
    for prefix in question.rules.blocked_sectors:
        if sector and sector.startswith(prefix):
            return off(question, 8, f"the sector {prefix} is blocked.")
    return None


def sector_allowed(question: Question) -> Answer:
    allowed, sector = question.rules.allowed_sectors, question.context.sector
    if not allowed:
        return None
    if not sector:
        return off(question, 9, "it is for some sectors, and the organisation's is unknown.")
    return None if sector.startswith(allowed) else off(question, 9, f"it is not for the sector {sector}.")


def in_rollout(question: Question) -> Answer:
    rules, context = question.rules, question.context
    unit = context.person_public_id if rules.bucket_by == "person" else context.organisation_public_id
    if not unit:
        return off(question, 10, f"its percentage goes by {rules.bucket_by}, and there is none.")
    place = bucket(rules.salt, unit)
    is_in = place < rules.rollout
    words = f"the {rules.bucket_by} is {'in' if is_in else 'outside'} the {rules.rollout / 1000:g} % rollout."
    return Explanation(rules.key, is_in, 11 if is_in else 10, words, bucket=place, threshold=rules.rollout)


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
    in_rollout,
)
