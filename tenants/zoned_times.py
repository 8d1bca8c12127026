"""Dates with times in forms of the admin site: shown and read in the editor's zone, which stands beside them."""

import re
from datetime import UTC, datetime, time, timedelta
from datetime import timezone as fixed
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.html import format_html

from tenants.editors_zone import zone_words

OFFSET = re.compile(r"\s*(Z|UTC|[+-][0-9]{2}:?[0-9]{2})$", re.IGNORECASE)

# What is within the calendar everywhere: a moment that some zone cannot tell could not be shown to its editors.
FIRST, LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC)
OUTSIDE = "Enter a date within the calendar, and neither its first day nor its last."
DATE_ALONE = "A date such as 31/12/2026 or 2026-12-31; without a time it means 00:00."


class NamedSplitDateTime(AdminSplitDateTime):
    """Django's date and time inputs, each with a name for people who cannot see where they stand, and the zone."""

    def __init__(self, attrs: Any = None) -> None:
        super().__init__(attrs)
        for widget, name in zip(self.widgets, ("Date", "Time"), strict=True):
            widget.attrs["aria-label"] = name

    def decompress(self, value: Any) -> Any:
        """A time that comes twice as the clocks go back is told with its offset, so that it is read as the same."""
        day, at = super().decompress(value)
        if day and at and _comes_twice(datetime.combine(day, at)):
            return [day, f"{at:%H:%M:%S} {_offset(timezone.localtime(value))}"]
        return [day, at]

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        zone = timezone.get_current_timezone_name()
        for part in context["widget"]["subwidgets"]:
            part["attrs"]["aria-label"] = f"{part['attrs']['aria-label']}, {zone}"
        return context

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        shown = super().render(name, value, attrs, renderer)
        at = value if isinstance(value, datetime) and timezone.is_aware(value) else None
        return format_html('<div class="zoned">{} <span class="zone">{}</span></div>', shown, zone_words(at))


class TimeWithOffset(forms.TimeField):
    """A time of day, with the distance from UTC where somebody adds it: "01:30 +01:00"."""

    def to_python(self, value: Any) -> Any:
        found = OFFSET.search(value) if isinstance(value, str) else None
        if found is None:
            return super().to_python(value)
        at = super().to_python(value[: found.start()])
        return at.replace(tzinfo=_zone_of(found[1])) if isinstance(at, time) else at


class ZonedDateTimeField(forms.SplitDateTimeField):
    """A moment; a date alone is its 00:00. Times that the clocks leave out or give twice are refused, with what to type
    instead."""

    widget = NamedSplitDateTime

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.help_text = f"{self.help_text} {DATE_ALONE}".strip()
        invalid = {"invalid": self.error_messages["invalid_time"]}
        self.fields = (self.fields[0], TimeWithOffset(error_messages=invalid))
        self.fields[1].required = False

    def clean(self, value: Any) -> Any:
        return super().clean(_complete(*value) if isinstance(value, list) else value)

    def compress(self, parts: Any) -> datetime | None:
        return _moment(datetime.combine(*parts)) if parts else None


def _complete(day: Any, at: Any) -> list[Any]:
    if at and not day:
        raise ValidationError("Enter the date as well: only a time was given.")
    return [day, at or (day and "00:00")]


def _moment(typed: datetime) -> datetime:
    try:
        at = _read(typed)
    except OverflowError:
        raise ValidationError(OUTSIDE) from None
    if not FIRST <= at <= LAST:
        raise ValidationError(OUTSIDE)
    return at


def _read(typed: datetime) -> datetime:
    if typed.tzinfo is not None:
        return typed.astimezone(UTC)
    _require_one(typed)
    return timezone.make_aware(typed).astimezone(UTC)


def _require_one(typed: datetime) -> None:
    first, second = (typed.replace(tzinfo=timezone.get_current_timezone(), fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return
    zone, day, at = timezone.get_current_timezone_name(), f"{typed:%d %b %Y}", f"{typed:%H:%M}"
    if first.astimezone(UTC) > second.astimezone(UTC):
        there = timezone.localtime(first.astimezone(UTC))
        raise ValidationError(
            f"{at} does not exist on {day} in {zone}: the clocks go forward. Did you mean {there:%H:%M}?"
        )
    raise ValidationError(
        f"{at} comes twice on {day} in {zone}, as the clocks go back. Type “{at} {_offset(first)}” for the first or "
        f"“{at} {_offset(second)}” for the second."
    )


def _comes_twice(typed: datetime) -> bool:
    first, second = (typed.replace(tzinfo=timezone.get_current_timezone(), fold=fold) for fold in (0, 1))
    return first.utcoffset() != second.utcoffset() and first.astimezone(UTC) < second.astimezone(UTC)


def _offset(at: datetime) -> str:
    text = f"{at:%z}"
    return f"{text[:3]}:{text[3:5]}"


def _zone_of(text: str) -> fixed:
    if text.upper() in ("Z", "UTC"):
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    if minutes >= 24 * 60:
        raise ValidationError("Enter a valid time.")
    return fixed(timedelta(minutes=minutes if text[0] == "+" else -minutes))
