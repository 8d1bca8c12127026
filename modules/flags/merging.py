"""Two people edit one flag: what either changed stays, and where both changed the same they are asked. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from modules.flags.differences import FIELDS
from modules.flags.document import canonical

Body = Mapping[str, Any]
WORDS = {part: (what, words) for part, what, words in FIELDS}
NAMES = {"enabled": "enabled", "visible_to_clients": "visible to clients"}


@dataclass(frozen=True, slots=True)
class Conflict:
    """A part that the editor and somebody else changed differently, in words. `choice` is "mine", "theirs" or ""."""

    part: str
    what: str
    opened: str
    theirs: str
    mine: str
    by: str
    choice: str = ""


@dataclass(frozen=True, slots=True)
class Merge:
    """`changes` are the parts to write; `conflicts` those that both changed."""

    changes: frozenset[str]
    conflicts: tuple[Conflict, ...] = ()

    @property
    def is_settled(self) -> bool:
        return all(conflict.choice for conflict in self.conflicts)


def merge(opened: Body, theirs: Body, mine: Body, *, choices: Mapping[str, str], by: Mapping[str, str]) -> Merge:
    """`opened` is what the form showed, `mine` the parts that it says now; `by` names who changed a part since."""
    changes = differing(opened, mine) & differing(theirs, mine)
    both = differing(opened, theirs) & changes
    conflicts = tuple(
        Conflict(part, *_words(part, opened, theirs, mine), by=by.get(part, ""), choice=choices.get(part, ""))
        for part in WORDS
        if part in both
    )
    left = {conflict.part for conflict in conflicts if conflict.choice == "theirs"}
    return Merge(frozenset(changes - left), conflicts)


def differing(before: Body, after: Body) -> set[str]:
    """The parts of `after` that say something else than before."""
    return {part for part in after if canonical_part(before, part) != canonical_part(after, part)}


def canonical_part(body: Body, part: str) -> str:
    """Equal for equal values of one type: True is not 1, and 1 is not 1.0."""
    return canonical({"is": body.get(part)})


def who_changed(releases: Iterable[tuple[str, Body | None]], opened: Body) -> dict[str, str]:
    """By part, who changed it last: of releases since then with their authors, the oldest first."""
    found, before = {}, opened
    for author, body in releases:
        if body is not None:
            found.update(dict.fromkeys(differing(before, body), author))
            before = body
    return found


def _words(part: str, opened: Body, theirs: Body, mine: Body) -> tuple[str, str, str, str]:
    what, words = WORDS[part]
    return what or NAMES.get(part, part), words(opened[part]), words(theirs[part]), words(mine[part])
