"""Who killed a flag, when and why? Told by the release that did it."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Q

from modules.flags.admin.turning import began
from modules.flags.models import Flag, FlagRelease
from tenants.models import AuditEvent

KILLS = ["flag.killed", "flags.killed"]
LONGEST_TURN = timedelta(minutes=1)  # that an action may wait for others who change flags, before it writes


def killed_in(flags: Sequence[Flag]) -> dict[str, FlagRelease]:
    """By key, the release that killed each; without those of which it is not found in a bounded time. As many queries
    whatever their number. Needs platform scope."""
    told = _told_by_the_audit(flags) if flags else {}
    return told | began(lambda body: bool(body.get("killed")), [flag.key for flag in flags if flag.key not in told])


def _told_by_the_audit(flags: Sequence[Flag]) -> dict[str, FlagRelease]:
    """Of those that nobody has written since; no document is read. Two queries."""
    numbers = _numbers({flag.key: flag for flag in flags}, _kills_around(flags))
    releases = FlagRelease.objects.defer("document").in_bulk(set(numbers.values()))
    return {
        flag.key: releases[numbers[flag.key]]
        for flag in flags
        if numbers.get(flag.key) in releases and releases[numbers[flag.key]].created_at >= flag.updated_at
    }


def _kills_around(flags: Iterable[Flag]) -> Iterable[AuditEvent]:
    """The audit is found by its times alone: whatever else it holds is not read."""
    around = Q()
    for flag in flags:
        around |= Q(occurred_at__range=(flag.updated_at - LONGEST_TURN, flag.updated_at))
    return AuditEvent.objects.filter(around, kind=AuditEvent.Kind.EVENT, action__in=KILLS).order_by("occurred_at", "pk")


def _numbers(flags: dict[str, Flag], events: Iterable[AuditEvent]) -> dict[str, Any]:
    """An event after a flag was written killed others, and named this one with them, which was killed already."""
    found: dict[str, Any] = {}
    for event in events:
        named = event.data.get("flags", [event.data.get("flag")])
        written = [key for key in named if key in flags and event.occurred_at <= flags[key].updated_at]
        found |= dict.fromkeys(written, event.data.get("release"))
    return found
