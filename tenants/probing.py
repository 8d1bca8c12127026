"""Asks something that may never answer: once for however many callers, who wait no longer than a deadline."""

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class Prober(Generic[Answer]):
    """`ask` runs in a thread of its own; its answer is kept for `kept` seconds.

    `late` is told to those who waited `deadline` seconds in vain, and `failed` when `ask` itself raised: that is
    not kept, so the next caller asks again. Nobody new waits for a question older than `patience` seconds: it is asked
    anew beside, and what the old one still finds is nobody's.
    """

    def __init__(
        self,
        ask: Callable[[], Answer],
        *,
        deadline: float,
        kept: float,
        late: Answer,
        failed: Answer,
        patience: float = math.inf,
    ) -> None:
        self.ask = ask
        self.deadline = deadline
        self.kept = kept
        self.late = late
        self.failed = failed
        self.patience = patience
        self._lock = threading.Lock()
        self._running: threading.Event | None = None
        self._answer: Answer | None = None
        self._answered_at = 0.0
        self._asked_at = 0.0

    def answer(self, within: float | None = None) -> Answer:
        """What is kept, or what is found within so many seconds (by default the deadline)."""
        with self._lock:
            if self._answer is not None and time.monotonic() - self._answered_at < self.kept:
                return self._answer
            is_waited_for = time.monotonic() - self._asked_at < self.patience
            done = self._running if self._running and is_waited_for else self._start()
        if not done.wait(self.deadline if within is None else within) or self._answer is None:
            return self.late
        return self._answer

    def begin(self) -> None:
        """Ask now, so that the answer is there when somebody wants it; waits for nothing."""
        with self._lock:
            if self._running is None:
                self._start()

    def _start(self) -> threading.Event:
        self._running = done = threading.Event()
        self._asked_at = time.monotonic()
        threading.Thread(target=self._run, args=[done], name="probe", daemon=True).start()
        return done

    def _run(self, done: threading.Event) -> None:
        answer, answered_at = self.failed, 0.0
        try:
            answer, answered_at = self.ask(), time.monotonic()
        except Exception:
            # The probe itself is at fault: said at once, and asked again by the next caller.
            logger.exception("A probe failed")
        finally:
            with self._lock:
                if self._running is done:
                    self._answer, self._answered_at, self._running = answer, answered_at, None
            done.set()
