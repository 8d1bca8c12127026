"""A flag's answer with everything that led to it: for code, and as a sentence for people, made when it is read."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from modules.flags.answers import Context, Outcome, Override, Reason
from modules.flags.document import moment_words
from modules.flags.ladder import IN_ROLLOUT, OUTSIDE_ROLLOUT, Flag, answer, bucket, climb, climb_alone, climb_open
from modules.flags.together import Together


class Explanation(msgspec.Struct, frozen=True, gc=False):
    """`value` is the flag's, of its type, and `variant` the name for it. `version` is the number of the release, 0
    where there is none. What only people ask for is worked out when it is read.

    The garbage collector need not look through explanations: nothing that one holds leads back to it."""

    value: Any
    variant: str
    outcome: Outcome
    version: int
    flag: Flag
    context: Context

    def __repr__(self) -> str:
        return f"<Explanation: {self.key} is {self.variant}, {self.reason}>"

    @property
    def key(self) -> str:
        return self.flag.key

    @property
    def bucket(self) -> int | None:
        """Where the unit falls, 0 to 99,999, where a percentage decided."""
        if self.outcome is not IN_ROLLOUT and self.outcome is not OUTSIDE_ROLLOUT:
            return None
        return bucket(self.flag.salt, self.context.person if self.flag.is_by_person else self.context.organisation)

    @property
    def threshold(self) -> int | None:
        """The rollout that the bucket was held against."""
        return None if self.bucket is None else self.flag.rollout

    @property
    def is_on(self) -> bool:
        return self.outcome.is_on

    @property
    def reason(self) -> Reason:
        return self.outcome.reason

    @property
    def rung(self) -> int:
        return self.outcome.rung

    @property
    def override(self) -> Override | None:
        return self.outcome.override

    @property
    def sentence(self) -> str:
        """The reason in words, with its particulars."""
        return SENTENCES[self.reason](self)


Sentence = Callable[[Explanation], str]


def explain(flag: Flag, context: Context, version: int) -> Explanation:
    outcome = flag.fixed
    if outcome is None:
        outcome = climb(flag, context) if flag.needs else climb_open(flag, context)
    if not outcome.is_on:
        return Explanation(flag.off_value, "off", outcome, version, flag, context)
    if not flag.variants:
        return Explanation(True, "on", outcome, version, flag, context)
    value, variant = answer(flag, outcome, context)
    return Explanation(value, variant, outcome, version, flag, context)


class Answers(Mapping[str, Explanation]):
    """What many flags answer one context. All is decided at once; an explanation is put together when it is read."""

    __slots__ = ("_context", "_decided", "_flags", "_version")

    def __init__(self, together: Together, context: Context, version: int) -> None:
        self._flags, self._context, self._version = together.flags, context, version
        self._decided = together.decided(context)

    def __getitem__(self, key: str) -> Explanation:
        return Explanation(*self._decided[key], self._version, self._flags[key], self._context)

    def __iter__(self) -> Iterator[str]:
        return iter(self._decided)

    def __len__(self) -> int:
        return len(self._decided)


def percentage(told: Explanation) -> str:
    return f"the {told.flag.rollout / 1000:g} % rollout"


def _unit(told: Explanation) -> str:
    return "person" if told.flag.is_by_person else "organisation"


def _overridden(target: str) -> Sentence:
    def say(told: Explanation) -> str:
        override = told.override
        if override is None:
            return f"overridden for the {target}."
        until = f" until {moment_words(override.expires_at)}" if override.expires_at else ""
        author = override.author or "the system"
        return f"overridden {'on' if told.is_on else 'off'} for the {target}{until} by {author}: {override.reason}"

    return say


def _prerequisite_off(told: Explanation) -> str:
    off = next(needed for needed in told.flag.needs if not climb_alone(needed, told.context).is_on)
    return f"its prerequisite {off.key} is off: {_of_prerequisite(off, told)}"


def _of_prerequisite(flag: Flag, told: Explanation) -> str:
    return Explanation(False, "off", climb_alone(flag, told.context), told.version, flag, told.context).sentence


def _blocked(told: Explanation) -> str:
    prefix = next(prefix for prefix in told.flag.blocked_sectors if told.context.sector.startswith(prefix))
    return f"the sector {prefix} is blocked."


SENTENCES: dict[Reason, Sentence] = {
    Reason.UNKNOWN_FLAG: lambda told: "unknown: the calling code's default holds.",
    Reason.FORCED: lambda told: f"forced {'on' if told.is_on else 'off'} by the operator.",
    Reason.ARCHIVED: lambda told: "it is archived.",
    Reason.KILLED: lambda told: "it is killed, which beats every override.",
    Reason.BEFORE_WINDOW: lambda told: f"its window begins {told.flag.because}.",
    Reason.AFTER_WINDOW: lambda told: f"its window ended {told.flag.because}.",
    Reason.PREREQUISITE_OFF: _prerequisite_off,
    Reason.PREREQUISITE_MISSING: lambda told: f"its prerequisite {told.flag.because} does not exist.",
    Reason.PREREQUISITE_CIRCLE: lambda told: f"its prerequisites lead in a circle through {told.flag.because}.",
    Reason.PREREQUISITES_TOO_DEEP: lambda told: "too many prerequisites follow each other.",
    Reason.ENTITLEMENT_UNKNOWN: lambda told: (
        f"entitlement unknown: the caller did not say whether {told.flag.module} is entitled."
    ),
    Reason.NOT_ENTITLED: lambda told: f"the organisation does not have the module {told.flag.module}.",
    Reason.PERSON_OVERRIDE: _overridden("person"),
    Reason.ORGANISATION_OVERRIDE: _overridden("organisation"),
    Reason.NOT_ENABLED: lambda told: "it is not enabled.",
    Reason.SECTOR_BLOCKED: _blocked,
    Reason.SECTOR_UNKNOWN: lambda told: "it is for some sectors, and the organisation's is unknown.",
    Reason.SECTOR_NOT_ALLOWED: lambda told: f"it is not for the sector {told.context.sector}.",
    Reason.NOBODY_TO_COUNT: lambda told: f"its percentage goes by {_unit(told)}, and there is none.",
    Reason.OUTSIDE_ROLLOUT: lambda told: f"the {_unit(told)} is outside {percentage(told)}.",
    Reason.IN_ROLLOUT: lambda told: f"the {_unit(told)} is in {percentage(told)}.",
}
