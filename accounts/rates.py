"""How often may somebody do something? The arithmetic of a limit, and its use in the memory of one process.

A limit is a bucket of `burst` calls that fills again at `per_minute` (the generic cell rate algorithm): one moment
is kept for each caller, when their bucket will be full again.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

REMEMBERED = 20_000  # callers at most, in one process


@dataclass(frozen=True)
class Rate:
    per_minute: int
    burst: int

    @property
    def spacing(self) -> float:
        """Seconds that one call costs."""
        return 60 / self.per_minute

    @property
    def depth(self) -> float:
        """Seconds until an empty bucket is full."""
        return self.spacing * self.burst


@dataclass(frozen=True)
class Use:
    """One call that is to count against one caller's limit; `key` says whose and for what, without naming anybody."""

    key: str
    rate: Rate


class ProcessLimiter:
    """Counts in this process alone: for what must not wait for the database, and while that does not answer."""

    def __init__(self) -> None:
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def seconds_to_wait(self, uses: list[Use], *, now: float) -> float:
        """Count the call; 0 when it is within all limits, else seconds until it would be. `now` is monotonic."""
        with self._lock:
            excess = max((self._full_after(use, now) - now - use.rate.depth for use in uses), default=0.0)
            if excess > 1e-9:
                return excess
            for use in uses:
                self._count(use, now)
            return 0.0

    def _full_after(self, use: Use, now: float) -> float:
        return max(self._full_at.get(use.key, now), now) + use.rate.spacing

    def _count(self, use: Use, now: float) -> None:
        self._full_at[use.key] = self._full_after(use, now)
        self._full_at.move_to_end(use.key)
        if len(self._full_at) > REMEMBERED:
            self._full_at.popitem(last=False)
