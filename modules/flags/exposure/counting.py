"""Counts the answers of flags in this process, in a few instructions each, and in memory for `LIMIT` of them at most.

A flag carries its `uses`, the same ones in every release: whoever still answers from an older one counts too. What is
told of an answer is (flag's key, organisation's public id, what was answered, rung): True and False where there was no
more to answer than on and off, else the name of the variant.
"""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any
from uuid import UUID

LIMIT = 20_000  # different answers that are told apart before the next flush
NOT_TOLD_APART = str(UUID(int=0))  # stands for the organisations beyond

Answer = tuple[str, str, bool | str, int]


class ByOrganisation(dict[str, Any]):
    """Counters by public id: `next(counters[organisation])` counts, in one step that no other thread can divide."""

    __slots__ = ("_ledger", "together")

    def __init__(self, ledger: "Ledger") -> None:
        self._ledger = ledger
        self.together = count()

    def __missing__(self, organisation: str) -> Any:
        if self._ledger.room <= 0:
            return self.together
        self._ledger.room -= 1
        return self.setdefault(organisation, count())


class ByAnswer(dict[Any, ByOrganisation]):
    """By what was answered: the rung where it was on, the rung below zero where it was off, or (variant, rung)."""

    __slots__ = ("_ledger",)

    def __init__(self, ledger: "Ledger") -> None:
        self._ledger = ledger

    def __missing__(self, answer: Any) -> ByOrganisation:
        self._ledger.at_news()
        return self.setdefault(answer, ByOrganisation(self._ledger))

    def told(self, key: str) -> Iterator[tuple[Answer, int]]:
        """Each answer of the flag with how often it was counted. For once, when nobody counts here any more."""
        for answer, counters in list(self.items()):
            what = (answer > 0, abs(answer)) if isinstance(answer, int) else answer
            for organisation, counter in [*counters.items(), (NOT_TOLD_APART, counters.together)]:
                if times := next(counter):
                    yield (key, organisation, *what), times


class Uses:
    """Of one flag: `next(uses.counts[answer][organisation])` counts."""

    __slots__ = ("counts",)

    def __init__(self, ledger: "Ledger") -> None:
        self.counts = ByAnswer(ledger)


class Ledger:
    """The uses of all flags. `at_news` is called when a flag answers something that it has not answered since the last
    flush; `room` is for so many more answers that are told apart."""

    def __init__(self) -> None:
        self.room = LIMIT
        self.at_news: Callable[[], None] = lambda: None
        self._uses: dict[str, Uses] = {}

    def of(self, key: str) -> Uses:
        return self._uses.get(key) or self._uses.setdefault(key, Uses(self))

    def taken(self) -> dict[str, ByAnswer]:
        """What was counted, by the flags' keys; from now on it is counted into others."""
        taken = {}
        for key, uses in list(self._uses.items()):
            if uses.counts:
                taken[key], uses.counts = uses.counts, ByAnswer(self)
        self.room = LIMIT
        return taken


ledger = Ledger()
NOWHERE = Uses(Ledger())  # for flags that nobody counts
