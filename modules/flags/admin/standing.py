"""How a flag stands now, in words for pages: its state, what narrows it, what comes by itself, and who forces it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.utils import formats, timezone

from modules.flags import wording
from modules.flags.models import Flag
from modules.flags.states import State


@dataclass(frozen=True)
class Standing:
    """`state` names the badge and `words` are in it; `share` is the percentage of a flag that is on for some."""

    state: str
    words: str
    share: float | None
    notes: tuple[str, ...]
    forced: str
    is_due: bool


def standing(flag: Any, at: datetime) -> Standing:
    """Of a flag that was asked for with `as_of` and `counted`."""
    is_partial = flag.state_now == State.PARTIAL
    return Standing(
        state=flag.state_now,
        words=percent(flag.rollout_now) if is_partial else flag.state_now,
        share=flag.rollout_now / 1000 if is_partial else None,
        notes=(*_limits(flag), *_to_come(flag, at)),
        forced=forced_words(flag.key),
        is_due=is_due(flag, at),
    )


def is_due(flag: Flag, at: datetime) -> bool:
    return bool(flag.review_date and flag.review_date <= timezone.localdate(at) and not flag.is_archived)


def percent(rollout: int) -> str:
    return f"{rollout / 1000:g} %"


def forced_words(key: str) -> str:
    """What the operator forces the flag to, if anything."""
    if key not in settings.FLAGS_FORCED:
        return ""
    value = settings.FLAGS_FORCED[key]
    return f"forced {'on' if value is True else value or 'off'}"


def moment(at: datetime) -> str:
    """In the reader's time zone; the year where it is another one."""
    local = wording.local(at)
    is_this_year = local.year == timezone.localtime().year
    return formats.date_format(local, "j M H:i" if is_this_year else "j M Y H:i")


def day(on: date) -> str:
    return formats.date_format(on, "j M" if on.year == timezone.localdate().year else "j M Y")


def _limits(flag: Any) -> list[str]:
    """What stops some people whom the state alone would let pass."""
    if flag.state_now not in {State.ON, State.PARTIAL, State.SCHEDULED}:
        return []
    found = ["by sector"] if flag.sectors_counted else []
    return [*found, f"needs {counted(flag.needs_counted, 'other flag')}"] if flag.needs_counted else found


def _to_come(flag: Any, at: datetime) -> list[str]:
    """What changes by itself, first things first."""
    if flag.is_killed or flag.is_archived or not flag.is_enabled:
        return []
    found = [
        (flag.window_starts_at, "opens"),
        (flag.next_step_at, f"to {percent(flag.next_step_rollout or 0)}"),
        (flag.window_ends_at, "ends"),
    ]
    later = sorted((when, words) for when, words in found if when and when > at)
    return [f"{words} on {moment(when)}" for when, words in later]


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
