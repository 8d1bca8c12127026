"""For whom does a change of flags change the answer? Counted from real organisations and people, with examples.

Two documents are compiled and asked for everybody. Nothing is locked or written, and counting ends in a bounded time.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings

from modules.flags import wording
from modules.flags.because import because
from modules.flags.document import Rules, bodies
from modules.flags.explaining import Explanation, explain
from modules.flags.ladder import UNKNOWN_OFF, Flag, answer, climb
from modules.flags.population import Somebody, everybody
from modules.flags.snapshot import Snapshot, compile_release, rules_in

MOST_EXAMPLES = 10
MOST_MOMENTS = 5
LONGEST = 5.0  # seconds that counting for a preview may take
LONGEST_LOOK = 1.0  # and for a page that tells how it is
LOOK_AT_CLOCK = 200  # people between two looks at it
# What is told of a flag and decides nothing.
DESCRIPTION = {"name", "purpose", "kind", "owner", "review_date"}
NOT_THERE = Flag("", fixed=UNKNOWN_OFF)


@dataclass(slots=True)
class Count:
    """People are counted once for each organisation that they belong to."""

    organisations: int = 0
    people: int = 0

    def __bool__(self) -> bool:
        return bool(self.organisations or self.people)

    def add(self, somebody: Somebody) -> None:
        if somebody.person:
            self.people += 1
        else:
            self.organisations += 1


@dataclass(frozen=True, slots=True)
class Example:
    """Whose answer changes, from what to what, and why. `person` is empty where it is the organisation's own."""

    organisation: str
    slug: str
    person: str
    before: str
    after: str
    because: str


@dataclass(slots=True)
class Movement:
    """Those whose answer changes in one way."""

    title: str
    count: Count = field(default_factory=Count)
    _organisations: list[Example] = field(default_factory=list)
    _people: list[Example] = field(default_factory=list)

    @property
    def examples(self) -> list[Example]:
        """Some of both, where there are both."""
        organisations = self._organisations[: MOST_EXAMPLES - min(len(self._people), MOST_EXAMPLES // 2)]
        return organisations + self._people[: MOST_EXAMPLES - len(organisations)]


@dataclass(slots=True)
class Later:
    """For how many it is on from a moment on, when nobody changes anything until then."""

    at: datetime
    on: Count = field(default_factory=Count)


@dataclass(slots=True)
class FlagEffects:
    """What becomes of one flag's answers. `is_dependent`: its own rules stay, and what it needs changes."""

    key: str
    name: str
    is_dependent: bool
    is_by_person: bool
    on_before: Count = field(default_factory=Count)
    on_after: Count = field(default_factory=Count)
    switched_on: Movement = field(default_factory=lambda: Movement("Switched on"))
    switched_off: Movement = field(default_factory=lambda: Movement("Switched off"))
    other_value: Movement = field(default_factory=lambda: Movement("Another value"))
    later: list[Later] = field(default_factory=list)

    @property
    def movements(self) -> list[Movement]:
        return [one for one in (self.switched_on, self.switched_off, self.other_value) if one.count]

    @property
    def everybody_loses_it(self) -> bool:
        return bool(self.on_before) and not self.on_after


@dataclass(slots=True)
class Effects:
    """`flags` are those that change and those that need them, where an answer changes. `total` is who was asked;
    where time ran out (`is_complete` false) there are more."""

    flags: list[FlagEffects] = field(default_factory=list)
    total: Count = field(default_factory=Count)
    is_complete: bool = True

    @property
    def changes_answers(self) -> bool:
        return any(flag.movements for flag in self.flags)

    @property
    def losers(self) -> list[FlagEffects]:
        """Flags that somebody has now and nobody has afterwards."""
        return [flag for flag in self.flags if flag.everybody_loses_it]


def effects(before: str, after: str, *, at: datetime, people: Iterable[Somebody] | None = None) -> Effects:
    """Of going from one document to the other at a moment, for `people` or everybody, whom it then asks the database
    for. Malformed, or TooNew, when a document cannot be read. Needs platform scope."""
    old, new = (compile_release(0, document, at, settings.FLAGS_FORCED) for document in (before, after))
    compared = list(_compared(old, new, at))
    found = Effects()
    if not compared:
        return found
    for somebody in _counted(everybody(at=at) if people is None else people, found, LONGEST):
        for comparison in compared:
            comparison.ask(somebody)
    found.flags = [one.found for one in compared if one.found.movements or not one.found.is_dependent]
    return found


@dataclass(slots=True)
class Reach:
    """For how many of all a flag is on; where time ran out there are more of both."""

    on: Count = field(default_factory=Count)
    total: Count = field(default_factory=Count)
    is_complete: bool = True


def reach(flag: Flag | None, *, at: datetime, people: Iterable[Somebody] | None = None) -> Reach:
    """Of a flag as a snapshot has it, for a page that is only looked at. Needs platform scope."""
    found = Reach()
    for somebody in _counted(everybody(at=at) if people is None else people, found, LONGEST_LOOK):
        if flag is not None and climb(flag, somebody.context).is_on:
            found.on.add(somebody)
    return found


def reaches(flags: Mapping[str, Flag], *, at: datetime) -> dict[str, Reach]:
    """Of several flags, by key; everybody is asked for once. Needs platform scope."""
    asked = Reach()
    found = {key: Reach(total=asked.total) for key in flags}
    for somebody in _counted(everybody(at=at), asked, LONGEST_LOOK):
        for key, flag in flags.items():
            if climb(flag, somebody.context).is_on:
                found[key].on.add(somebody)
    for one in found.values():
        one.is_complete = asked.is_complete
    return found


@dataclass(slots=True)
class AtOne:
    """One organisation: what the flag tells itself, and how many of its people have it."""

    organisation: Somebody
    told: Explanation
    on: int = 0
    people: int = 0


@dataclass(slots=True)
class Spread(Reach):
    """The same for each organisation, by its slug."""

    at: dict[str, AtOne] = field(default_factory=dict)


def spread(flag: Flag, *, version: int, at: datetime) -> Spread:
    """Who has the flag? For a page that is only looked at. Needs platform scope."""
    found = Spread()
    for somebody in _counted(everybody(at=at), found, LONGEST_LOOK):
        told = explain(flag, somebody.context, version)
        if told.is_on:
            found.on.add(somebody)
        if not somebody.person:
            found.at[somebody.slug] = AtOne(somebody, told)
            continue
        there = found.at[somebody.slug]
        there.people += 1
        there.on += told.is_on
    return found


def _counted(people: Iterable[Somebody], found: Effects | Reach, seconds: float) -> Iterator[Somebody]:
    """One after the other, for as long as there is time."""
    ends_at = time.monotonic() + seconds
    for number, somebody in enumerate(people):
        if number % LOOK_AT_CLOCK == 0 and time.monotonic() > ends_at:
            found.is_complete = False
            return
        found.total.add(somebody)
        yield somebody


def is_only_description(before: str, after: str) -> bool:
    """Whether the documents differ in what decides nothing, or not at all."""
    return not _changed(bodies(before), bodies(after))


class _Comparison:
    """One flag before and after, and at the moments at which it changes by itself."""

    def __init__(
        self, found: FlagEffects, old: Flag, new: Flag, rules: Rules | None, later: list[tuple[Later, Flag]]
    ) -> None:
        self.found, self.old, self.new, self.rules, self.later = found, old, new, rules, later

    def ask(self, somebody: Somebody) -> None:
        context = somebody.context
        was, now = climb(self.old, context), climb(self.new, context)
        if was.is_on:
            self.found.on_before.add(somebody)
        if now.is_on:
            self.found.on_after.add(somebody)
        for later, flag in self.later:
            if climb(flag, context).is_on:
                later.on.add(somebody)
        movement = self._movement(was, now, somebody)
        if movement is not None:
            movement.count.add(somebody)
            self._show(movement, was, now, somebody)

    def _movement(self, was: Any, now: Any, somebody: Somebody) -> Movement | None:
        if was.is_on != now.is_on:
            return self.found.switched_on if now.is_on else self.found.switched_off
        if NOT_THERE in (self.old, self.new):
            return None
        same = answer(self.old, was, somebody.context) == answer(self.new, now, somebody.context)
        return None if same else self.found.other_value

    def _show(self, movement: Movement, was: Any, now: Any, somebody: Somebody) -> None:
        shown = movement._people if somebody.person else movement._organisations
        if len(shown) == MOST_EXAMPLES:
            return
        context = somebody.context
        before, after = (
            _words(flag, outcome, somebody, with_value=movement is self.found.other_value)
            for flag, outcome in ((self.old, was), (self.new, now))
        )
        reason = because(Explanation(None, "", now, 0, self.new, context), self.rules)
        shown.append(Example(somebody.organisation, somebody.slug, somebody.person, before, after, f"{reason}."))


def _words(flag: Flag, outcome: Any, somebody: Somebody, *, with_value: bool) -> str:
    if flag is NOT_THERE:
        return "not there"
    value, variant = answer(flag, outcome, somebody.context)
    state = variant if variant in ("on", "off") else f"on: {variant}"
    said = wording.value(value)
    return f"{state}, {said}" if with_value and said != state else state


def _compared(old: Snapshot, new: Snapshot, at: datetime) -> Iterator[_Comparison]:
    (before, _), (after, rules) = _legible(old), _legible(new)
    changed = _changed(before, after)
    moments = _moments([one for key, one in rules.items() if key in changed], at)
    later = [(moment, new.at(moment)) for moment in moments]
    for key in [*sorted(changed), *sorted(_dependents(changed, before, after))]:
        was, now = old.flags.get(key, NOT_THERE), new.flags.get(key, NOT_THERE)
        name = (after.get(key) or before[key]).get("name", key)
        found = FlagEffects(key, name, key not in changed, now.is_by_person)
        ahead = [(Later(moment), snapshot.flags[key]) for moment, snapshot in later if key in snapshot.flags]
        found.later = [one for one, _ in ahead]
        yield _Comparison(found, was, now, rules.get(key), ahead)


def _legible(snapshot: Snapshot) -> tuple[dict[str, Any], dict[str, Rules]]:
    """Bodies and rules of the flags that can be read; for processes the others are not there."""
    rules = rules_in(snapshot.version, snapshot.document)
    return {key: body for key, body in bodies(snapshot.document).items() if key in rules}, rules


def _changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {key for key in before.keys() | after.keys() if _deciding(before.get(key)) != _deciding(after.get(key))}


def _deciding(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    return {name: said for name, said in body.items() if name not in DESCRIPTION}


def _dependents(changed: set[str], *documents: dict[str, Any]) -> set[str]:
    """All that need one of them, directly or through others, in one of the documents."""
    reached, waiting = set(changed), set(changed)
    while waiting:
        needing = {
            key for told in documents for key, body in told.items() if not waiting.isdisjoint(body.get("needs", ()))
        }
        waiting = needing - reached
        reached |= waiting
    return reached - changed


def _moments(changed: list[Rules], at: datetime) -> list[datetime]:
    return sorted({moment for one in changed for moment in one.moments if moment > at})[:MOST_MOMENTS]
