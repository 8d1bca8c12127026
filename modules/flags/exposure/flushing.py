"""Writes how flags were used into hourly rows: once a minute in a thread of its own, and when the process ends.

No request waits for it. While the database is away the counts wait here; where it is not known whether some were
written, the database is asked before they are tried again, so that nothing is counted twice.
"""

import atexit
import logging
import os
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, connection

from modules.flags.exposure import writing
from modules.flags.exposure.counting import ledger
from modules.flags.exposure.waiting import Waiting
from modules.flags.exposure.writing import Batch, Outcome
from tenants import scope
from tenants.postgresql import deadline, faults

logger = logging.getLogger(__name__)
INTERVAL = 60.0  # seconds between two flushes
PATIENCE = 5.0  # seconds that one may take
LAST_WORDS = 2.0  # seconds for the one when the process ends
ADDING = 1.0  # seconds between two times that what was noted is added up


@dataclass(frozen=True)
class State:
    """What this process has counted and not written yet, and why not; `problem` is empty when the last flush went
    well."""

    waiting: int
    problem: str


class Flusher:
    """Takes what was counted from the ledger, and keeps it until it is written."""

    def __init__(self) -> None:
        self._waiting = Waiting()
        self._batch = Batch()
        self._problem = ""
        self._beginning = threading.Lock()
        self._flushing = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_adding = False  # what was noted, once a second

    def begin(self) -> bool:
        """Flush from now on, in this process; asked at the first count, so not before a fork. Whether what is noted is
        added up just now, which it is not while the database is waited for."""
        if self._thread is None:
            with self._beginning:
                if self._thread is None and not self._over.is_set():
                    self._start()
        return self._is_adding

    def flush(self, *, within: float = PATIENCE) -> bool:
        """Write what was counted until now. Whether there is nothing left to write; it never raises."""
        if not self._flushing.acquire(timeout=within):
            return False
        try:
            self._gather()
            with scope.nobody(), deadline.within(within):
                self._write()
        except (DatabaseError, InterfaceError) as fault:
            self._tell(faults.describe(fault))
        except Exception:
            self._tell("the flush itself failed; see the log")
            logger.exception("Writing how flags were used failed")
        else:
            self._tell("")
        finally:
            self._flushing.release()
        return not (self._waiting or self._batch)

    def end(self) -> None:
        """The last flush, when the process ends. What cannot be written now is lost, and told."""
        self._over.set()
        connection.close()
        if not self.flush(within=LAST_WORDS):
            logger.warning("%s evaluations of flags are not counted: the process ends.", self.state().waiting)
        connection.close()

    def state(self) -> State:
        return State(sum(list(self._waiting.values())) + sum(list(self._batch.values())), self._problem)

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="flags-exposure", daemon=True)
        try:
            thread.start()
        except RuntimeError as fault:
            # Whoever asked for a flag gets its answer all the same; who asks next tries again.
            self._tell(str(fault))
            return
        self._thread = thread
        atexit.unregister(_end)
        atexit.register(_end)

    def _run(self) -> None:
        try:
            self._add_and_flush()
        finally:
            # Nobody adds up any more: notes have their bound, whatever ended the thread.
            self._is_adding = False
            ledger.ask_again()

    def _add_and_flush(self) -> None:
        next_at = time.monotonic() + INTERVAL
        self._is_adding = True
        while not self._over.wait(ADDING):
            self._add_up()
            if time.monotonic() >= next_at:
                next_at = time.monotonic() + INTERVAL
                self._is_adding = False
                self.flush()
                self._is_adding = True
                # Once a minute is too seldom to keep one of the database's connections.
                connection.close()

    def _add_up(self) -> None:
        self._tell_lost(ledger.add_up(), "too many were given while nobody could count them")

    def _gather(self) -> None:
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        self._add_up()
        self._tell_lost(self._waiting.take(hour, ledger.taken()))

    def _write(self) -> None:
        if self._batch.transaction is not None and not self._is_settled(self._batch.transaction):
            return
        self._tell_lost(self._batch.take_all(self._waiting))
        if not self._batch:
            return
        try:
            writing.write(self._batch)
        except (DataError, IntegrityError):
            # It would be refused every minute, with all that comes after it.
            logger.exception("%s evaluations of flags are not counted: they are refused.", sum(self._batch.values()))
        self._batch = Batch()

    def _is_settled(self, transaction: str) -> bool:
        """Whether the last attempt is over; what it did not write is tried again, and nothing else."""
        outcome = writing.outcome(transaction)
        if outcome is Outcome.IN_PROGRESS:
            return False
        if outcome is Outcome.ABORTED:
            self._batch.transaction = None
        else:
            self._batch = Batch()
        return True

    def _tell(self, problem: str) -> None:
        if problem and problem != self._problem:
            logger.warning("How flags were used is not written, and kept: %s", problem)
        elif self._problem and not problem:
            logger.warning("How flags were used is written again.")
        self._problem = problem

    def _tell_lost(self, evaluations: int, why: str = "too many different ones are waiting") -> None:
        if evaluations:
            logger.warning("%s evaluations of flags are not counted: %s.", evaluations, why)


flusher = Flusher()


def _begin() -> bool:
    return flusher.begin()


def _end() -> None:
    flusher.end()


def _begin_anew() -> None:
    """In a forked process: what was counted before it is the other's to write."""
    global flusher
    ledger.begin_anew()
    flusher = Flusher()


ledger.at_news = _begin
os.register_at_fork(after_in_child=_begin_anew)
