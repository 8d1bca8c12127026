"""Counts the answers of flags in this process. Whoever answers only notes it; a thread adds the notes up.

An answer is (flag's key, organisation's public id, what was answered, rung): True and False where there was no more to
answer than on and off, else the name of the variant.
"""

import threading
from collections import Counter
from collections.abc import Callable
from operator import attrgetter
from typing import Any
from uuid import UUID

from modules.flags.answers import Context, Outcome
from modules.flags.ladder import Flag

LIMIT = 20_000  # different answers that are told apart before the next flush
MOST_NOTES = 200_000  # that are added up at a time, which is done each second; what comes beyond is lost
AT_ONCE = 5_000  # notes that are counted before other threads have their turn, in about a millisecond
NOT_TOLD_APART = str(UUID(int=0))  # stands for the organisations beyond

Answer = tuple[str, str, bool | str, int]
# The variant is named where the flag has some, is on, and whoever asked was told.
Note = tuple[Flag, Outcome | tuple[Outcome, str], Context]
PARTS = 3  # of a note


class Ledger:
    """What all flags answered. `at_news` is called for the first note since the last flush, and says whether somebody
    adds up from now on; where nobody does, it is called for the next one too."""

    def __init__(self) -> None:
        self.at_news: Callable[[], bool] = lambda: True
        self.begin_anew()

    def begin_anew(self) -> None:
        """With nothing noted, whatever another thread is doing: in a forked process there is none."""
        # The parts of notes one after the other: to keep a tuple for each would let the garbage collector look through
        # them again and again, which took longer than the answers.
        self._notes: list[Any] = []
        self._lost = 0
        self._alike: Counter[tuple[Flag, Outcome | tuple[Outcome, str], str]] = Counter()
        self._counts: dict[Answer, int] = {}
        self._adding = threading.Lock()
        # One step, which no other thread can divide; a lookup among counts that are seldom used would take longer than
        # the answer itself.
        self.note: Callable[[Note], None] = self._note_news

    def _note_news(self, note: Note) -> None:
        if self.at_news():
            self.note = self._notes.extend
        if len(self._notes) < MOST_NOTES * PARTS:
            self._notes.extend(note)
        else:
            self._lost += 1

    def add_up(self) -> int:
        """Count what was noted until now. How many answers were lost, since they were too many at once."""
        with self._adding:
            notes = self._notes[: MOST_NOTES * PARTS]
            waiting = len(self._notes)
            del self._notes[:waiting]
            for at in range(0, len(notes), AT_ONCE * PARTS):
                self._count(notes[at : at + AT_ONCE * PARTS])
            lost, self._lost = self._lost, 0
            return lost + (waiting - len(notes)) // PARTS

    def _count(self, notes: list[Any]) -> None:
        flags, outcomes, contexts = (notes[part::PARTS] for part in range(PARTS))
        self._alike.update(zip(flags, outcomes, _organisations(contexts), strict=True))
        if len(self._alike) >= LIMIT:
            self._tell_apart()

    def _tell_apart(self) -> None:
        """By what is written: not by the object that a flag was in one release."""
        alike, self._alike = self._alike, Counter()
        for (flag, told, organisation), times in alike.items():
            outcome, answered = told if isinstance(told, tuple) else (told, told.is_on)
            answer = (flag.key, organisation, answered, outcome.rung)
            if answer not in self._counts and len(self._counts) >= LIMIT:
                answer = (flag.key, NOT_TOLD_APART, answered, outcome.rung)
            self._counts[answer] = self._counts.get(answer, 0) + times

    def taken(self) -> dict[Answer, int]:
        """How often each answer was given since this was asked before."""
        self.add_up()
        with self._adding:
            self._tell_apart()
            taken, self._counts = self._counts, {}
        self.ask_again()
        return taken

    def ask_again(self) -> None:
        """Whether somebody adds up, at the next note."""
        self.note = self._note_news


def _organisations(contexts: list[Any]) -> list[str]:
    """Code may call anything an organisation, and a context."""
    try:
        organisations = list(map(_organisation, contexts))
    except AttributeError:
        organisations = [getattr(context, "organisation", None) for context in contexts]
    if set(map(type, organisations)) == {str}:
        return organisations
    return [one if isinstance(one, str) else NOT_TOLD_APART for one in organisations]


_organisation = attrgetter("organisation")
ledger = Ledger()
