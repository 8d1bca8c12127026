"""The whole ladder as it went for somebody: every rung with its number, title, state and what was seen there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from modules.flags import wording
from modules.flags.document import SCALE, Rules
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
    return Rung(number, title, "passed", SEEN[number](told, rules, at) if rules and number in SEEN else "")


def _window(told: Explanation, rules: Rules, at: datetime) -> str:
    if not (rules.starts_at or rules.ends_at):
        return "it has none"
    return f"from {wording.moment(rules.starts_at, 'always')} until {wording.moment(rules.ends_at, 'without end')}"


def _needs(told: Explanation, rules: Rules, at: datetime) -> str:
    return f"on: {wording.listed(rules.needs)}" if rules.needs else "it has none"


def _module(told: Explanation, rules: Rules, at: datetime) -> str:
    return f"it has {rules.module}" if rules.module else "the flag belongs to no module"


def _person(told: Explanation, rules: Rules, at: datetime) -> str:
    return _out_of_time(rules, told.context.person, at) if told.context.person else "nobody was asked about"


def _organisation(told: Explanation, rules: Rules, at: datetime) -> str:
    return f"{_out_of_time(rules, told.context.organisation, at)}; the flag is enabled"


def _blocked(told: Explanation, rules: Rules, at: datetime) -> str:
    if not rules.blocked_sectors:
        return "no sector is blocked"
    return f"blocked are {wording.listed(rules.blocked_sectors)}; here it is {_sector(told)}"


def _allowed(told: Explanation, rules: Rules, at: datetime) -> str:
    if not rules.allowed_sectors:
        return "all sectors are allowed"
    return f"allowed are {wording.listed(rules.allowed_sectors)}; here it is {_sector(told)}"


def _sector(told: Explanation) -> str:
    return told.context.sector or "unknown"


def _percentage(told: Explanation, rules: Rules, at: datetime) -> str:
    return f"bucket {told.bucket:,} of {SCALE:,} is below {told.threshold:,}"


def _out_of_time(rules: Rules, target: str, at: datetime) -> str:
    for override in rules.overrides:
        if target and override.target == target:
            author = override.author or "the system"
            if override.starts_at and at < override.starts_at:
                return f"an override by {author} begins {wording.moment(override.starts_at)}"
            return f"an override by {author} expired {wording.moment(override.expires_at)}"
    return "there is none"


# What is there on a rung that let the flag pass.
SEEN: dict[int, Callable[[Explanation, Rules, datetime], str]] = {
    3: _window,
    4: _needs,
    5: _module,
    6: _person,
    7: _organisation,
    8: _blocked,
    9: _allowed,
    10: _percentage,
}
