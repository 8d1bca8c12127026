"""Since when does a flag answer somebody as it does, and until when? Found in its releases, and in its own times."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, pairwise
from typing import Any

from modules.flags.admin.case import Case, told_in
from modules.flags.document import Malformed, Rules, bodies, rules_of
from modules.flags.explaining import Explanation
from modules.flags.models import FlagRelease
from modules.flags.snapshot import compile_rules

MOST = 200  # releases that are looked through in one direction
LONGEST = 0.5  # seconds that this may take in one direction
AT_ONCE = 10  # documents that are held at a time: they may be large
JUST_AFTER = timedelta(microseconds=1)

Told = Mapping[str, Any]


@dataclass(frozen=True)
class Turn:
    """At a moment the answer became another one; `other` is the one on its far side. `release` made it so; where there
    is none it was a time of the flag's own, or of one that it needs."""

    at: datetime
    other: Explanation
    release: FlagRelease | None


@dataclass(frozen=True)
class Turns:
    """The last change of the answer before the moment in question, and the first one after it, where there are such.

    `same_since` is how far back the answer is the same, where no change was found, and `is_cut` that nobody looked
    further. `goes_by_modules`: what the organisation is entitled to was taken as it is at the moment in question.
    """

    since: Turn | None = None
    until: Turn | None = None
    same_since: datetime | None = None
    is_cut: bool = False
    goes_by_modules: bool = False


def turns(case: Case, key: str) -> Turns:
    """Nothing where the operator forces flags: what was forced before is kept nowhere."""
    if case.snapshot.forced:
        return Turns()
    told, flag, patience = case.told(key), case.snapshot.flags.get(key), Patience()
    since, same_since = _since(_back(case, key, patience), told)
    return Turns(
        since=since,
        until=_until(_ahead(case, key), told),
        same_since=same_since,
        is_cut=patience.is_over,
        goes_by_modules=flag is not None and any(one.module for one in (flag, *flag.needs)),
    )


@dataclass(frozen=True)
class Point:
    """A moment from which on the flag answers this, until the next one. `release` is the one that began there."""

    at: datetime
    told: Explanation
    release: FlagRelease | None


class Patience:
    """How far somebody looks in one direction."""

    def __init__(self) -> None:
        self.is_over = False
        self._ends_at = time.monotonic() + LONGEST

    def read(self, releases: Any) -> Iterator[tuple[FlagRelease, Told]]:
        """With what their documents say, up to one that cannot be read here."""
        for number, release in enumerate(_by_and_by(releases)):
            told = _told(release.document)
            self.is_over = told is None or number == MOST or time.monotonic() > self._ends_at
            if self.is_over or told is None:
                return
            yield release, told


def began(key_is: Callable[[Any], bool], keys: Iterable[str]) -> dict[str, FlagRelease]:
    """By key, the release from which on what it says of the flag has been so; without those that it is not so of, and
    those of which nobody looked as far back. A query for every few releases."""
    found: dict[str, FlagRelease] = {}
    waiting, patience = set(keys), Patience()
    for release, told in patience.read(FlagRelease.objects.order_by("-number")) if waiting else ():
        waiting = {key for key in waiting if key in told and key_is(told[key])}
        found |= dict.fromkeys(waiting, release)
        if not waiting:
            break
    return {key: release for key, release in found.items() if not (patience.is_over and key in waiting)}


def _by_and_by(releases: Any) -> Iterator[FlagRelease]:
    """In slices: without cursors of the server, `iterator` would fetch them all for the first."""
    for start in range(0, MOST + 1, AT_ONCE):
        rows = list(releases[start : start + AT_ONCE])
        yield from rows
        if len(rows) < AT_ONCE:
            return


def _told(document: str) -> Told | None:
    try:
        return bodies(document)
    except Malformed:
        return None


def _back(case: Case, key: str, patience: Patience) -> Iterator[Point]:
    """The newest first."""
    until = case.at + JUST_AFTER
    for release, told in patience.read(
        FlagRelease.objects.filter(number__lte=case.snapshot.version).order_by("-number")
    ):
        yield from reversed(list(_points(case, key, release, told, until)))
        until = release.created_at


def _ahead(case: Case, key: str) -> Iterator[Point]:
    """The oldest first; of a release that still holds also the moments that are to come."""
    patience = Patience()
    releases = FlagRelease.objects.filter(number__gte=case.snapshot.version).order_by("number")
    for (release, told), following in pairwise(chain(patience.read(releases), [None])):  # type: ignore[misc]
        if following is None and patience.is_over:
            return  # Until when it holds was not read.
        until = following[0].created_at if following else datetime.max.replace(tzinfo=case.at.tzinfo)
        yield from (point for point in _points(case, key, release, told, until) if point.at > case.at)


def _points(case: Case, key: str, release: FlagRelease, told: Told, until: datetime) -> Iterator[Point]:
    rules, began_at = _with_needs(key, told), release.created_at
    moments = {moment for one in rules.values() for moment in one.moments if began_at < moment < until}
    for at in (began_at, *sorted(moments)):
        snapshot = compile_rules(rules, at, version=release.number)
        yield Point(at, told_in(snapshot, key, case.context), release if at == began_at else None)


def _with_needs(key: str, told: Told) -> dict[str, Rules]:
    """Without those that cannot be read: for them the default holds, as where flags are compiled."""
    found: dict[str, Rules] = {}
    waiting = [key]
    while waiting:
        one = waiting.pop()
        rules = _rules(one, told[one]) if one in told and one not in found else None
        if rules is not None:
            found[one] = rules
            waiting.extend(rules.needs)
    return found


def _rules(key: str, body: Any) -> Rules | None:
    try:
        return rules_of(key, body)
    except Malformed:
        return None


def _since(points: Iterable[Point], told: Explanation) -> tuple[Turn | None, datetime | None]:
    began: Point | None = None
    for point in points:
        if not _is_same(point.told, told):
            return (Turn(began.at, point.told, began.release), None) if began else (None, None)
        began = point
    return None, began.at if began else None


def _until(points: Iterable[Point], told: Explanation) -> Turn | None:
    other = next((point for point in points if not _is_same(point.told, told)), None)
    return Turn(other.at, other.told, other.release) if other else None


def _is_same(one: Explanation, another: Explanation) -> bool:
    return (one.is_on, one.variant, one.value) == (another.is_on, another.variant, another.value)
