"""Is the flag on for these people, and by which rung? The fixed ladder, for a flag that was compiled for a moment.

Pure and quick: what does not depend on who is asking is decided when the flag is compiled, so a climb compares a few
values and hashes once.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mmh3 import mmh3_32_uintdigest as murmur3_32

from modules.flags.answers import RUNGS, Context, Outcome, Override, Reason
from modules.flags.document import SCALE, Rules, moment_words

OFF = {reason: Outcome(False, reason, rung) for reason, rung in RUNGS.items()}
FORCED_ON = Outcome(True, Reason.FORCED, 1)
IN_ROLLOUT = Outcome(True, Reason.IN_ROLLOUT, 11)
UNKNOWN_OFF, UNKNOWN_ON = (Outcome(is_on, Reason.UNKNOWN_FLAG, 0) for is_on in (False, True))

# The outcomes that end most climbs.
PREREQUISITE_OFF = OFF[Reason.PREREQUISITE_OFF]
ENTITLEMENT_UNKNOWN = OFF[Reason.ENTITLEMENT_UNKNOWN]
NOT_ENTITLED = OFF[Reason.NOT_ENTITLED]
NOT_ENABLED = OFF[Reason.NOT_ENABLED]
SECTOR_BLOCKED = OFF[Reason.SECTOR_BLOCKED]
SECTOR_UNKNOWN = OFF[Reason.SECTOR_UNKNOWN]
SECTOR_NOT_ALLOWED = OFF[Reason.SECTOR_NOT_ALLOWED]
NOBODY_TO_COUNT = OFF[Reason.NOBODY_TO_COUNT]
OUTSIDE_ROLLOUT = OFF[Reason.OUTSIDE_ROLLOUT]


@dataclass(slots=True, eq=False)
class Flag:
    """One flag at one moment. `fixed` is the outcome for everybody, where there is one; `needs` holds all that must be
    on first, prerequisites of prerequisites included; the overrides are those that are current.

    The last two follow from the others: whether anything stands before the percentage, and what one of nothing or of
    everybody says without a hash."""

    key: str
    fixed: Outcome | None = None
    needs: tuple["Flag", ...] = ()
    module: str = ""
    people: dict[str, Outcome] | None = None
    organisations: dict[str, Outcome] | None = None
    is_enabled: bool = True
    blocked_sectors: tuple[str, ...] = ()
    allowed_sectors: tuple[str, ...] = ()
    is_by_person: bool = False
    salt: str = ""
    before_unit: str = ":"  # what is hashed together with the unit
    rollout: int = SCALE
    below: int = 2**32  # hashes below this one are inside the rollout
    off_value: Any = False
    variants: tuple[tuple[int, str, Any], ...] = ()  # hashes below the first are this variant's
    is_visible_to_clients: bool = False
    because: str = ""  # what `fixed` is about: a time, or the key of another flag
    has_conditions: bool = field(init=False)
    whole: Outcome | None = field(init=False)

    def __post_init__(self) -> None:
        self.has_conditions = bool(
            self.module
            or self.people
            or self.organisations
            or not self.is_enabled
            or self.blocked_sectors
            or self.allowed_sectors
        )
        self.whole = {0: OUTSIDE_ROLLOUT, SCALE: IN_ROLLOUT}.get(self.rollout)


def compiled(rules: Rules, at: datetime, forced: bool | None = None) -> Flag:
    """The flag as it is at the moment; its prerequisites are for the snapshot to fill in."""
    rollout = rollout_at(rules, at)
    current = [override for override in rules.overrides if override.is_current(at)]
    return Flag(
        key=rules.key,
        fixed=_fixed(rules, at, forced),
        module=rules.module,
        people={one.target: _overridden(one) for one in current if one.is_for_person} or None,
        organisations={one.target: _overridden(one) for one in current if not one.is_for_person} or None,
        is_enabled=rules.enabled,
        blocked_sectors=rules.blocked_sectors,
        allowed_sectors=rules.allowed_sectors,
        is_by_person=rules.bucket_by == "person",
        salt=rules.salt,
        before_unit=f"{rules.salt}:",
        rollout=rollout,
        below=limit(rollout, SCALE),
        off_value=rules.off_value,
        variants=_shares(rules),
        is_visible_to_clients=rules.visible_to_clients,
        because=moment_words(rules.starts_at if rules.starts_at and at < rules.starts_at else rules.ends_at),
    )


def rollout_at(rules: Rules, at: datetime) -> int:
    """The rollout of the last step that has come, or the flag's own before the first."""
    passed = [step.rollout for step in rules.ramp if step.at <= at]
    return passed[-1] if passed else rules.rollout


def _fixed(rules: Rules, at: datetime, forced: bool | None) -> Outcome | None:
    """Rungs 1 to 3, and sometimes 7."""
    if forced is not None:
        return FORCED_ON if forced else OFF[Reason.FORCED]
    if rules.archived:
        return OFF[Reason.ARCHIVED]
    if rules.killed:
        return OFF[Reason.KILLED]
    if rules.starts_at and at < rules.starts_at:
        return OFF[Reason.BEFORE_WINDOW]
    if rules.ends_at and at >= rules.ends_at:
        return OFF[Reason.AFTER_WINDOW]
    # Where nothing stands before it that asks who is there, rung 7 is the same for everybody, too.
    if not (rules.enabled or rules.needs or rules.module or rules.overrides):
        return NOT_ENABLED
    return None


def _overridden(override: Override) -> Outcome:
    reason = Reason.PERSON_OVERRIDE if override.is_for_person else Reason.ORGANISATION_OVERRIDE
    return Outcome(override.is_on, reason, RUNGS[reason], override)


def _shares(rules: Rules) -> tuple[tuple[int, str, Any], ...]:
    total, reached, shares = sum(variant.weight for variant in rules.variants), 0, []
    for variant in rules.variants:
        reached += variant.weight
        shares.append((limit(reached, total), variant.name, variant.value))
    return tuple(shares)


def limit(share: int, of: int) -> int:
    """`hash * of >> 32 < share` says the same as `hash < limit(share, of)`, and without a multiplication."""
    return -(-(share << 32) // of)


def climb(flag: Flag, context: Context) -> Outcome:
    """The first rung that decides. Rungs 1 to 3 were decided when the flag was compiled."""
    if flag.needs and flag.fixed is None:
        for needed in flag.needs:
            if not (needed.fixed or climb_open(needed, context)).is_on:
                return PREREQUISITE_OFF
    return flag.fixed or climb_open(flag, context)


def climb_alone(flag: Flag, context: Context) -> Outcome:
    """The ladder without prerequisites."""
    return flag.fixed or climb_open(flag, context)


def climb_open(flag: Flag, context: Context) -> Outcome:
    """Rungs 5 to 11, of a flag that is not fixed. Most have only a percentage."""
    if flag.has_conditions:
        if flag.module:
            if context.entitled_modules is None:
                return ENTITLEMENT_UNKNOWN
            if flag.module not in context.entitled_modules:
                return NOT_ENTITLED
        if flag.people is not None and (override := flag.people.get(context.person)) is not None:
            return override
        if flag.organisations is not None and (override := flag.organisations.get(context.organisation)) is not None:
            return override
        if not flag.is_enabled:
            return NOT_ENABLED
        if flag.blocked_sectors and context.sector.startswith(flag.blocked_sectors):
            return SECTOR_BLOCKED
        if flag.allowed_sectors and not context.sector.startswith(flag.allowed_sectors):
            return SECTOR_NOT_ALLOWED if context.sector else SECTOR_UNKNOWN
    unit = context.person if flag.is_by_person else context.organisation
    if not unit:
        return NOBODY_TO_COUNT
    if flag.whole is not None:
        return flag.whole
    # The hash is of bytes: `mmh3.hash`, which takes text too, ends the process over a lone surrogate, which JSON from
    # outside may hold; encoding raises instead.
    return IN_ROLLOUT if murmur3_32((flag.before_unit + unit).encode()) < flag.below else OUTSIDE_ROLLOUT


def bucket(salt: str, unit: str) -> int:
    """Where the unit falls, 0 to 99,999: MurmurHash3 x86 32-bit of "salt:unit", scaled without bias."""
    return murmur3_32(f"{salt}:{unit}".encode(errors="surrogatepass")) * SCALE >> 32


def variant_bucket(salt: str, unit: str) -> int:
    """Where the unit falls among the variants, 0 to 99,999: independent of the percentage's bucket."""
    return murmur3_32(f"{salt}:variant:{unit}".encode(errors="surrogatepass")) * SCALE >> 32


def answer(flag: Flag, outcome: Outcome, context: Context) -> tuple[Any, str]:
    """The value that goes with the outcome, and the name of its variant ("on" and "off" where there is none)."""
    if not outcome.is_on:
        return flag.off_value, "off"
    if not flag.variants:
        return True, "on"
    if outcome.override is not None and outcome.override.variant:
        for _, name, value in flag.variants:
            if name == outcome.override.variant:
                return value, name
    return _by_weight(flag, context)


def _by_weight(flag: Flag, context: Context) -> tuple[Any, str]:
    """By a hash that is independent of the percentage's: who is in the rollout says nothing of the variant."""
    unit = context.person if flag.is_by_person else context.organisation
    place = murmur3_32(f"{flag.salt}:variant:{unit}".encode())
    return next((value, name) for below, name, value in flag.variants if place < below)
