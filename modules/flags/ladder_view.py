"""The whole ladder as it went for somebody: every rung with its number, title, state and what was seen there."""

from dataclasses import dataclass
from datetime import datetime

from modules.flags.document import Rules, moment_words
from modules.flags.explaining import Explanation

TITLES = (
    "The flag is known",
    "The operator does not force it",
    "Neither archived nor killed",
    "Inside its window",
    "All its prerequisites are on",
    "The organisation has its module",
    "No override for the person",
    "No override for the organisation, and enabled",
    "The sector is not blocked",
    "The sector is among those allowed",
    "Inside the percentage",
    "On",
)


@dataclass(frozen=True)
class Rung:
    """`state` is "passed", "decided" or "not reached"; `says` is empty where there is nothing to say."""

    number: int
    title: str
    state: str
    says: str = ""


def rungs(told: Explanation, rules: Rules | None, *, at: datetime) -> list[Rung]:
    """From top to bottom; `rules` add what was there and did not decide, such as overrides out of their time."""
    return [_rung(number, title, told, rules, at) for number, title in enumerate(TITLES)]


def _rung(number: int, title: str, told: Explanation, rules: Rules | None, at: datetime) -> Rung:
    if number == told.rung:
        return Rung(number, title, "decided", told.sentence)
    if number > told.rung:
        return Rung(number, title, "not reached")
    return Rung(number, title, "passed", _seen(number, told, rules, at))


def _seen(number: int, told: Explanation, rules: Rules | None, at: datetime) -> str:
    if rules and number in (6, 7):
        return _out_of_time(rules, told.context.person if number == 6 else told.context.organisation, at)
    if number == 10 and told.bucket is not None:
        return f"bucket {told.bucket} is below {told.threshold}"
    return ""


def _out_of_time(rules: Rules, target: str, at: datetime) -> str:
    for override in rules.overrides:
        if override.target != target:
            continue
        if override.starts_at and at < override.starts_at:
            return f"an override by {override.author or 'the system'} begins {moment_words(override.starts_at)}"
        return f"an override by {override.author or 'the system'} expired {moment_words(override.expires_at)}"
    return ""
