"""Parts of flags in words, for people: percentages, values, and times in the zone of whoever reads."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from modules.flags.document import canonical

LONGEST_TEXT = 160


def percent(rollout: int) -> str:
    return f"{rollout / 1000:g} %"


def moment(at: datetime | None, without: str = "") -> str:
    return f"{local(at):%d %b %Y %H:%M %Z}" if at else without


def local(at: datetime) -> datetime:
    """In the zone of whoever reads; in UTC where that zone's calendar has no such day."""
    try:
        return timezone.localtime(at)
    except OverflowError:
        return at.astimezone(UTC)


def moment_of_text(text: str | None, without: str = "") -> str:
    """Of a time as documents hold it."""
    return moment(datetime.fromisoformat(text), without) if text else without


def value(given: Any) -> str:
    """A flag's value: true and false as on and off, all else as JSON."""
    if isinstance(given, bool):
        return "on" if given else "off"
    return shortened(canonical(given))


def quoted(text: str) -> str:
    return f"“{shortened(text)}”" if text else "nothing"


def listed(texts: Iterable[str], without: str = "none") -> str:
    return ", ".join(texts) or without


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
