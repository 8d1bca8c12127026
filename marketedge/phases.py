"""What the start went through and how long each part took: for people, probes and metrics. Imports nothing of ours."""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

# Seconds after which a phase is called slow: it is not wrong, but somebody should look.
SLOW_AFTER = 2.0

LOADING = ("settings", "applications", "modules", "url_map")
FIRST_CONTACT = ("database", "migrations", "flags")


@dataclass(frozen=True)
class Phase:
    """One part of the start. `detail` maps what it consisted of (a module's key, say) to what is known of it."""

    name: str
    seconds: float
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def is_slow(self) -> bool:
        return self.seconds > SLOW_AFTER


class Phases:
    """The phases that are over, in order. The process is started when all have been there once; it stays so."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over: dict[str, Phase] = {}

    def note(self, name: str, seconds: float, **detail: Any) -> None:
        """Keep the phase, the first time that it ends."""
        with self._lock:
            if name in self._over:
                return
            self._over[name] = phase = Phase(name, round(seconds, 4), detail)
        if phase.is_slow:
            logger.warning("The start was slow: %s took %.1f seconds.", name, seconds)

    @contextmanager
    def measure(self, name: str) -> Iterator[dict[str, Any]]:
        """Time what is inside; it may fill the detail that is yielded."""
        began, detail = time.perf_counter(), {}  # type: ignore[var-annotated]
        yield detail
        self.note(name, time.perf_counter() - began, **detail)

    @property
    def missing(self) -> list[str]:
        return [name for name in (*LOADING, *FIRST_CONTACT) if name not in self._over]

    def told(self) -> list[dict[str, Any]]:
        with self._lock:
            over = list(self._over.values())
        return [{**asdict(phase), "slow": phase.is_slow} for phase in over]


def seconds_since_start() -> float | None:
    """How long this process has lived, by the kernel; None where it does not say (outside Linux)."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return round(uptime - ticks / os.sysconf("SC_CLK_TCK"), 2)


phases = Phases()
