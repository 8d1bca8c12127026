"""The kill switch: a flag that is switched on, a reason, and it is off for everybody; and back again."""

import logging
from collections.abc import Callable
from copy import copy
from typing import Any, NamedTuple, TypeVar

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone

from modules.flags import actions, watching
from modules.flags.admin.caveats import caveats
from modules.flags.admin.foreseen import foreseen
from modules.flags.admin.killed import killed_in
from modules.flags.admin.obeying import obeyed
from modules.flags.admin.pages import Page
from modules.flags.admin.standing import Standing, counted, percent, standing
from modules.flags.document import SCALE
from modules.flags.effects import Reach, reaches
from modules.flags.models import Flag, FlagRelease
from modules.flags.states import State
from tenants.administration import LONGEST_REASON
from tenants.sturdiness import is_id

logger = logging.getLogger(__name__)
Told = TypeVar("Told")
NOT_FORESEEN = "It could not be counted; the log says why. The switch works all the same."
SHOWN = 50  # flags of each kind; whoever has more searches
MOST_WORDS = 8  # of a search
CLOSED = [State.KILLED, State.ARCHIVED]
SWITCHES = {"kill": (actions.kill_flags, "killed"), "restore": (actions.restore_flags, "restored")}


class Row(NamedTuple):
    """A flag of the page: for how many it is on now, or who killed it (None where that is too long ago), and what it
    goes back to."""

    flag: Flag
    standing: Standing
    touches: list[str]
    reach: Reach | None
    killed_in: FlagRelease | None
    back_to: str


def kill_switch(request: HttpRequest, *, model_admin: ModelAdmin, pk: int | None = None) -> HttpResponse:
    """Of all flags, or of one."""
    failed: dict[str, Any] = {}
    if request.method == "POST":
        failed = _throw(request)
        if not failed:
            return HttpResponseRedirect(request.get_full_path())
    return TemplateResponse(request, "admin/flags/kill_switch.html", _context(request, model_admin, pk, failed))


def _throw(request: HttpRequest) -> dict[str, Any]:
    """What went wrong, with what was typed; nothing when it is done."""
    flag = _posted(request.POST.get("flag", ""))
    switch, word = SWITCHES.get(request.POST.get("switch", ""), (None, ""))
    if flag is None or switch is None:
        raise Http404("There is no such flag, or no such switch.")
    reason = request.POST.get("reason", "").replace("\x00", "").strip()
    failed = {"failed": flag.pk, "reason": reason}
    if not 0 < len(reason) <= LONGEST_REASON:
        return {**failed, "problem": f"{flag.key}: say why, in at most {LONGEST_REASON} characters."}
    try:
        release = switch([flag], by=request.user, reason=reason)
    except ValidationError as refusal:
        return {**failed, "problem": f"{flag.key} is not {word}. {' '.join(refusal.messages)}", "is_refused": True}
    said = obeyed(release) if release else "It was so already."
    again = f", back to: {_back_to_now(flag.pk)}" if switch is actions.restore_flags else ""
    messages.success(request, f"{word.capitalize()}: {flag.key}{again}. {said}")
    return {}


def _posted(pk: str) -> Flag | None:
    return Flag.objects.filter(pk=pk).first() if is_id(pk) else None


def _context(request: HttpRequest, model_admin: ModelAdmin, pk: int | None, failed: dict[str, Any]) -> dict[str, Any]:
    words = request.GET.get("q", "").strip()
    sections = _sections_of_one(pk) if pk is not None else _sections(words)
    if not sections:
        raise Http404("There is no such flag.")
    return {
        **model_admin.admin_site.each_context(request),
        "title": "Kill switch" if pk is None else f"Kill switch of {sections[0]['rows'][0].flag.key}",
        "opts": Flag._meta,
        "media": model_admin.media,
        "caveats": caveats(),
        "words": words,
        "is_of_one": pk is not None,
        "sections": sections,
        "effects_of_one": "" if pk is None else _unless_it_fails(lambda: _foreseen(sections[0]), NOT_FORESEEN),
        **failed,
    }


def _sections(words: str) -> list[dict[str, Any]]:
    """What may be on for somebody; whoever searches means one flag, and finds it whether it is on or not."""
    now, rows = timezone.now(), _found(words)
    killed = _section("Killed", "restore", rows.filter(state_now=State.KILLED), now)
    if words:
        return [_section("Not killed", "kill", rows.exclude(state_now__in=CLOSED), now), killed]
    return [_section("Switched on", "kill", rows.maybe_on(now), now), killed]


def _sections_of_one(pk: int) -> list[dict[str, Any]]:
    """None where there is no such flag."""
    now, rows = timezone.now(), _found("").filter(pk=pk)
    found = [
        _section("Kill it", "kill", rows.exclude(state_now__in=CLOSED), now),
        _section("Restore it", "restore", rows.filter(state_now__in=CLOSED), now),
    ]
    return [section for section in found if section["rows"]]


def _found(words: str) -> Any:
    rows: Any = Flag.objects.as_of(timezone.now()).counted().order_by("key", "pk")
    for word in words.split()[:MOST_WORDS]:
        said = Q(key__icontains=word) | Q(name__icontains=word) | Q(purpose__icontains=word) | Q(owner__icontains=word)
        rows = rows.filter(said)
    return rows


def _foreseen(section: dict[str, Any]) -> str:
    """Of one flag alone: everybody is asked, which takes too long for each of many."""
    switch = SWITCHES[section["switch"]][0]
    return foreseen(lambda: switch([copy(section["rows"][0].flag)], by=None, reason="a rehearsal"))


def _section(title: str, switch: str, rows: Any, now: Any) -> dict[str, Any]:
    shown = list(rows[:SHOWN])
    told = _unless_it_fails(lambda: _told(shown, switch, now), None)
    reached, killed = told or ({}, {})
    lines = [
        Row(
            flag=flag,
            standing=standing(flag, now),
            touches=touches(flag),
            reach=reached.get(flag.key),
            killed_in=killed.get(flag.key),
            back_to=back_to(flag),
        )
        for flag in shown
    ]
    total = len(shown) if len(shown) < SHOWN else rows.count()
    more = total - len(shown)
    return {"title": title, "switch": switch, "rows": lines, "total": total, "more": more, "is_told": told is not None}


def _told(flags: list[Flag], switch: str, now: Any) -> tuple[dict[str, Reach], dict[str, FlagRelease]]:
    """For how many those are on that can be killed, or who killed those that can be restored."""
    if switch == "restore":
        return {}, killed_in([flag for flag in flags if flag.is_killed])
    running = watching.store.current().flags
    return reaches({flag.key: running[flag.key] for flag in flags if flag.key in running}, at=now), {}


def _unless_it_fails(ask: Callable[[], Told], otherwise: Told) -> Told:
    """A flag that cannot be evaluated is one to kill: what is told beside the switches takes none of them away."""
    try:
        return ask()
    except Exception:
        logger.exception("The kill switch is shown without what could not be asked")
        return otherwise


def _back_to_now(pk: int) -> str:
    rows: Any = Flag.objects.as_of(timezone.now()).counted()
    return back_to(rows.get(pk=pk))


def back_to(flag: Any) -> str:
    """What its own ladder says without the kill, as far as it is the same for all. Needs `as_of` and `counted`."""
    if not flag.is_enabled:
        return "off, but for its overrides"
    share = f"{percent(flag.rollout_now)} by {flag.get_bucket_by_display().lower()}"
    whom = {0: "off, but for its overrides", SCALE: "on for everybody"}.get(flag.rollout_now, share)
    limits = ["by sector"] if flag.sectors_counted else []
    limits += [f"needs {counted(flag.needs_counted, 'other flag')}"] if flag.needs_counted else []
    return ", ".join([whom, *limits])


def touches(flag: Any) -> list[str]:
    """What else notices when the flag goes off."""
    found = []
    if flag.module_key:
        found.append(f"module {flag.module_key}")
    if flag.overrides_counted:
        found.append(counted(flag.overrides_counted, "override"))
    if flag.needed_by_counted:
        found.append(f"{counted(flag.needed_by_counted, 'flag')} needing it")
    if flag.is_visible_to_clients:
        found.append("clients see it")
    return found


KILL_SWITCH = (
    Page("kill-switch/", kill_switch, "flags_kill_switch", of_list="Kill switch", is_for_editors=True),
    Page("<int:pk>/kill-switch/", kill_switch, "flags_kill_one", of_flag="Kill switch", is_for_editors=True),
)
