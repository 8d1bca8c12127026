"""What was counted and is not written yet: bounded, however long the database stays away."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from modules.flags.exposure.counting import LIMIT, NOT_TOLD_APART, Answer


class Row(NamedTuple):
    """An answer in the hour that began then; see `counting` for what the rest is."""

    hour: datetime
    key: str
    organisation: str
    answered: bool | str
    rung: int


class Waiting(dict[Row, int]):
    """How often each answer was given in each hour. Beyond `LIMIT` rows, organisations are not told apart any more."""

    def take(self, hour: datetime, counts: Mapping[Answer, int]) -> int:
        """Returns how many evaluations found no room, and are not counted."""
        return sum(self._add(Row(hour, *answer), times) for answer, times in counts.items())

    def take_all(self, others: "Waiting") -> int:
        """Leaves nothing in the others; returns as `take`."""
        lost = sum(self._add(row, times) for row, times in others.items())
        others.clear()
        return lost

    def _add(self, row: Row, times: int) -> int:
        if row not in self and len(self) >= LIMIT:
            row = row._replace(organisation=NOT_TOLD_APART)
        if row not in self and len(self) >= 2 * LIMIT:
            return times
        self[row] = self.get(row, 0) + times
        return 0
