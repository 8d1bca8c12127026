"""Flags that somebody should look at: past their review, done with, or no longer what the code asks for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from modules.flags import declared, releases
from modules.flags.admin.caveats import caveats
from modules.flags.admin.kill_switch import touches
from modules.flags.admin.pages import Page
from modules.flags.admin.standing import counted, day, moment, standing
from modules.flags.exposure.reading import last_evaluated
from modules.flags.models import Flag, FlagExposure

IDLE = timedelta(days=30)
SHOWN = 50  # flags of each section; the others come when these are done with


@dataclass(frozen=True)
class Section:
    """Flags that are due for one reason: a flag, its standing, why it is here, and what it touches."""

    title: str
    advice: str
    all_rows: list[tuple[Any, Any, str, list[str]]]
    may_be_archived: bool = False

    @property
    def rows(self) -> list[tuple[Any, Any, str, list[str]]]:
        return self.all_rows[:SHOWN]

    @property
    def more(self) -> int:
        return len(self.all_rows) - len(self.rows)


def due(request: HttpRequest, *, model_admin: ModelAdmin) -> HttpResponse:
    now = timezone.now()
    is_use_known = FlagExposure.objects.filter(hour__lte=now - IDLE).exists()
    found = [_overdue(now), *([_unused(now)] if is_use_known else []), _finished(now), _unknown(now)]
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Flags that are due",
        "opts": Flag._meta,
        "media": model_admin.media,
        "caveats": caveats(),
        "sections": [section for section in found if section.rows],
        "missing": _missing(),
        "is_use_known": is_use_known,
        "is_published": releases.is_published(),
        "may_change": model_admin.has_change_permission(request),
        "may_add": model_admin.has_add_permission(request),
        "checkbox_name": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/flags/due.html", context)


def number_overdue() -> int:
    return Flag.objects.overdue(timezone.localdate()).count()


def _overdue(now: datetime) -> Section:
    today = timezone.localdate(now)
    rows = _flags(now).overdue(today).order_by("review_date", "key")
    return Section(
        "Past their review date",
        "Ask the owner whether the flag is still needed. If it is, set another date; if not, take it out of the code, "
        "then archive it.",
        [_row(flag, now, f"{day(flag.review_date)}, {_ago((today - flag.review_date).days)}") for flag in rows],
    )


def _unused(now: datetime) -> Section:
    used, since = last_evaluated(), now - IDLE
    rows = _flags(now).filter(kind=Flag.Kind.RELEASE, is_archived=False, created_at__lte=since).order_by("key")
    idle = [(flag, used.get(flag.key)) for flag in rows]
    return Section(
        f"Not asked for in {IDLE.days} days",
        "Release flags that no running code has asked for. Archive what nobody misses.",
        [
            _row(flag, now, f"last asked for on {day(last.date())}" if last else "never asked for since use is counted")
            for flag, last in idle
            if last is None or last < since
        ],
        may_be_archived=True,
    )


def _finished(now: datetime) -> Section:
    rows = _flags(now).finished(now, now - IDLE).order_by("updated_at", "key")
    return Section(
        "Everybody has it: release flags that could go",
        f"On for everybody and unchanged for {IDLE.days} days. Take the flag out of the code first, then archive it: "
        "archiving turns it off.",
        [_row(flag, now, f"unchanged since {moment(flag.updated_at)}") for flag in rows],
    )


def _unknown(now: datetime) -> Section:
    """Clients ask for what is visible to them by keys that the code here does not name."""
    rows = _flags(now).filter(is_archived=False, is_visible_to_clients=False).exclude(key__in=declared.asked_for())
    return Section(
        "Unknown to the code",
        "No code of this release asks for them. Another release may: archive a flag when no running one does.",
        [_row(flag, now, "no code asks for it") for flag in rows.order_by("key")],
        may_be_archived=True,
    )


def _missing() -> list[tuple[str, str]]:
    """Keys that the code asks for and that are no flag, with who asks."""
    there = set(Flag.objects.values_list("key", flat=True))
    return sorted((key, asker) for key, asker in declared.asked_for().items() if key not in there)


def _flags(now: datetime) -> Any:
    return Flag.objects.as_of(now).counted()


def _row(flag: Any, now: datetime, why: str) -> tuple[Any, Any, str, list[str]]:
    return flag, standing(flag, now), why, touches(flag)


def _ago(days: int) -> str:
    return f"{counted(days, 'day')} ago" if days else "today"


DUE = Page("due/", due, "flags_due", of_list="Due", number=number_overdue)
