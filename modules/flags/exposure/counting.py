"""Counts the answers of flags in this process. Whoever answers only notes it; a thread adds the notes up.

An answer is (flag's key, organisation's public id, what was answered, rung): True and False where there was no more to
answer than on and off, else the name of the variant.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any
from uuid import UUID

LIMIT = 20_000  # different answers that are told apart before the next flush
MOST_NOTES = 200_000  # that wait to be added up, which is done each second; beyond, the oldest are lost
NOT_TOLD_APART = str(UUID(int=0))  # stands for the organisations beyond

Answer = tuple[str, str, bool | str, int]
# The flag, the outcome and the context; where somebody was told more, the `Explanation`, or a tuple like it.
Note = tuple[Any, ...]


class Ledger:
    """What all flags answered. `at_news` is called for the first note since the last flush, and says whether somebody
    will add it up; where nobody will, it is called for the next one too."""

    def __init__(self) -> None:
        self.at_news: Callable[[], bool] = lambda: True
        self._notes: deque[Note] = deque(maxlen=MOST_NOTES)
        self._counts: dict[Answer, int] = {}
        self._adding = threading.Lock()
        # One step, which no other thread can divide; a lookup among counts that are seldom used would take longer than
        # the answer itself.
        self.note: Callable[[Note], None] = self._note_news

    def _note_news(self, note: Note) -> None:
        self.note = self._notes.append
        self._notes.append(note)
        if not self.at_news():
            self.note = self._note_news

    def add_up(self) -> bool:
        """Count what was noted until now. False when there was no room for all notes, and some are lost."""
        with self._adding:
            waiting = len(self._notes)
            for _ in range(waiting):
                answer = _answer(self._notes.popleft())
                # Code may call anything an organisation.
                if not isinstance(answer[1], str) or (answer not in self._counts and len(self._counts) >= LIMIT):
                    answer = (answer[0], NOT_TOLD_APART, answer[2], answer[3])
                self._counts[answer] = self._counts.get(answer, 0) + 1
            return waiting < MOST_NOTES

    def taken(self) -> dict[Answer, int]:
        """How often each answer was given since this was asked before."""
        self.add_up()
        with self._adding:
            taken, self._counts = self._counts, {}
        self.note = self._note_news
        return taken


def _answer(note: Note) -> Answer:
    if len(note) == 3:
        flag, outcome, context = note
        return flag.key, context.organisation, outcome.is_on, outcome.rung
    _, variant, outcome, _, flag, context = note
    answered = variant if flag.variants and outcome.is_on else outcome.is_on
    return flag.key, context.organisation, answered, outcome.rung


ledger = Ledger()
