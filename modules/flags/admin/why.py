"""The page that answers: why is a flag on or off for somebody, now or at a moment of the past?"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from modules.flags import watching, wording
from modules.flags.admin.asked import Choice, WhyForm, asking
from modules.flags.admin.case import Case, case_of, names_of_flags, snapshot_of
from modules.flags.admin.caveats import unread
from modules.flags.admin.everywhere import everywhere
from modules.flags.admin.pages import Page
from modules.flags.admin.remedies import Remedy, remedies
from modules.flags.admin.steps import Step, steps
from modules.flags.admin.turning import Turn, turns
from modules.flags.answers import Reason
from modules.flags.because import because
from modules.flags.explaining import Explanation
from modules.flags.models import Flag, FlagRelease
from modules.flags.newest import newest_number
from tenants.models import Membership

JUST_BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True)
class Answer:
    """What the page shows of one flag."""

    told: Explanation
    name: str
    because: str
    value: str
    steps: list[Step]
    remedies: list[Remedy]


@dataclass(frozen=True)
class Line:
    """One flag among all."""

    told: Explanation
    name: str
    because: str
    url: str


@dataclass(frozen=True)
class Change:
    """When the answer changes, or changed; `state` is how it is on the far side, and `url` asks why."""

    at: datetime
    release: FlagRelease | None
    state: str
    is_there: bool
    url: str

    @property
    def verb(self) -> str:
        return _verb_at(self.at)


def why(request: HttpRequest, *, model_admin: ModelAdmin) -> HttpResponse:
    now = timezone.now()
    snapshot = cache(lambda at: snapshot_of(at, now=now))
    names = cache(lambda at: names_of_flags(snapshot(at)))
    form = WhyForm(request.GET, names)
    asked = form.asked
    case = case_of(asked, snapshot(asked.at), now=now) if form.is_valid() and asked.is_clear else None
    if case and form.is_without_zone:
        return redirect(address(case, flag=asked.flag, at=asked.at))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Why is a flag on or off?",
        "opts": model_admin.opts,
        "form": form,
        "lists": form.lists,
        "choices": {name: list(_choices(request, name, found)) for name, found in asked.choices.items()},
    }
    if case:
        context |= _answered(request, case, names(asked.at))
    return TemplateResponse(request, "admin/flags/why.html", context)


def _answered(request: HttpRequest, case: Case, names: dict[str, str]) -> dict[str, Any]:
    key = case.asked.flag
    return {
        "case": case,
        "verb": _verb(case),
        "when": "" if case.is_now else f"on {wording.moment(case.at)}",
        "release": FlagRelease.objects.filter(number=case.snapshot.version).defer("document").first(),
        "warnings": [*_about_flags(case), *_about_release(case), *_about_people(case)],
        **_told(request, case, key, names),
        "same_now_url": "" if case.is_now else address(case, flag=key, at=None),
        "permanent_url": address(case, flag=key, at=case.at),
        "all_flags_url": address(case, flag="", at=case.asked.at),
        "everywhere_url": asking(flag=key, at=case.asked.at.isoformat() if case.asked.at else ""),
        "needs_urls": _urls_of_needs(case, key),
    }


def _told(request: HttpRequest, case: Case, key: str, names: dict[str, str]) -> dict[str, Any]:
    """Of one flag, of all of them, or of one for everybody."""
    if not key:
        return {"lines": list(_lines(case, names))}
    if case.asked.is_about_everybody:
        return everywhere(case, names)
    found = turns(case, key)
    return {
        "answer": _answer(request, case, key, names),
        "turns": found,
        "since": _change(case, key, found.since, is_before=True),
        "until": _change(case, key, found.until, is_before=False),
    }


def _change(case: Case, key: str, turn: Turn | None, *, is_before: bool) -> Change | None:
    if turn is None:
        return None
    told, at = turn.other, turn.at - JUST_BEFORE if is_before else turn.at
    state = "ON" if told.is_on else "OFF"
    variant = f" ({told.variant})" if told.variant not in ("on", "off", "default") else ""
    is_there = told.reason is not Reason.UNKNOWN_FLAG
    return Change(turn.at, turn.release, f"{state}{variant}", is_there, address(case, flag=key, at=at))


def _answer(request: HttpRequest, case: Case, key: str, names: dict[str, str]) -> Answer:
    told = case.told(key)
    is_plain = isinstance(told.value, bool) and told.variant in ("on", "off", "default")
    return Answer(
        told=told,
        name=names.get(key, ""),
        because=because(told, case.rules.get(key)),
        value="" if is_plain else wording.value(told.value),
        steps=steps(case, told),
        remedies=remedies(case, told, by=request.user) if case.is_now else [],
    )


def _lines(case: Case, names: dict[str, str]) -> Iterator[Line]:
    for key in sorted(case.snapshot.flags):
        told = case.told(key)
        words = because(told, case.rules.get(key))
        yield Line(told, names.get(key, ""), words, address(case, flag=key, at=case.asked.at))


def _urls_of_needs(case: Case, key: str) -> dict[str, str]:
    rules = case.rules.get(key)
    return {need: address(case, flag=need, at=case.asked.at) for need in (rules.needs if rules else ())}


def _verb(case: Case) -> str:
    return "is" if case.is_now else _verb_at(case.at)


def _verb_at(moment: datetime) -> str:
    return "was" if moment <= timezone.now() else "will be"


def address(case: Case, *, flag: str, at: datetime | None) -> str:
    """Of the same question about another flag or moment. People are named by their public id, as in all addresses."""
    asked = case.asked
    return asking(
        flag=flag,
        organisation=asked.organisation.slug if asked.organisation else "",
        person=str(asked.person.public_id) if asked.person else "",
        at=at.isoformat() if at else "",
    )


def _choices(request: HttpRequest, name: str, found: list[Choice]) -> Iterator[Choice]:
    """The same address with one of those who may be meant."""
    for choice in found:
        query = request.GET.copy()
        query[name] = choice.value
        yield replace(choice, value=f"?{query.urlencode()}")


def _about_flags(case: Case) -> Iterator[str]:
    """Where running processes say something else than the page."""
    forced = settings.FLAGS_FORCED.get(case.asked.flag)
    if forced is not None and not case.is_now:
        yield f"At present the operator forces this flag to {wording.value(forced)} in running processes."
    if case.is_now:
        running, state = watching.store.current(), watching.store.state()
        if state.is_stale and not state.refused:
            age = _since(state.seconds_since_look)
            words = f"The process that answers you has had no news of the flags {age}: it works with release"
            yield f"{words} {running.version}. {state.problem}".strip()


def _about_release(case: Case) -> Iterator[str]:
    """Where a release held then that cannot be read here."""
    yield from unread(newest_number(case.at), case.snapshot.version)


def _since(seconds: float | None) -> str:
    return "since it began" if seconds is None else f"for {seconds:.0f} seconds"


def _about_people(case: Case) -> Iterator[str]:
    """What keeps people out whatever flags say, of today."""
    organisation, person = case.asked.organisation, case.asked.person
    if person and not person.is_active:
        yield f"The account of {person} is deactivated: whatever flags say, nobody can sign in with it."
    if organisation and organisation.is_suspended:
        yield f"{organisation} is suspended: whatever flags say, nobody can work in it."
    if person and organisation and not Membership.objects.filter(organisation=organisation, user=person).exists():
        yield f"{person} does not belong to {organisation}: this is what the flag would say to a member."


def why_flag(request: HttpRequest, pk: int, *, model_admin: ModelAdmin) -> HttpResponse:
    """From a flag to the page that asks about it."""
    return redirect(asking(flag=get_object_or_404(Flag, pk=pk).key))


PAGES = (
    Page("why/", why, "flags_why", of_list="Why is a flag on or off?"),
    Page("<int:pk>/why/", why_flag, "flags_flag_why", of_flag="Why is it on or off?"),
)
