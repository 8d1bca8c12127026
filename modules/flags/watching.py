"""Holds the newest release in this process, and learns of newer ones in a thread of its own.

A request never waits for the database here: it takes the snapshot that is there. Only the very first use of a process
may wait, `FIRST_WAIT` at most. While the database does not answer, the process keeps what it has; one that has just
begun takes the last release that was known to be good, from a file.
"""

import logging
import os
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections

from modules.flags import last_known_good
from modules.flags.document import Malformed
from modules.flags.newest import newest_unless, release_that_holds
from modules.flags.snapshot import NO_FLAGS, Snapshot, compile_release
from tenants.postgresql import deadline, faults

logger = logging.getLogger(__name__)
INTERVAL = 0.8  # seconds between two looks: with the look itself, a change is obeyed within 1.5
LONGEST_PAUSE = 10.0  # seconds, when one look after the other fails
LOOK = 3.0  # seconds that one look may take
FIRST_WAIT = 2.0  # seconds that whoever asks first may wait
STALE_AFTER = 5.0  # seconds without a look that succeeded
MARGIN = 5.0  # seconds by which the thread may oversleep


@dataclass(frozen=True)
class State:
    """What this process knows of the flags, for health and metrics. `source` is database, file or nothing; `refused` is
    the number of a newest release that cannot be read here, or 0."""

    version: int
    known: int
    source: str
    is_stale: bool
    seconds_since_look: float | None
    problem: str
    refused: int = 0


class Watcher:
    """The newest release of this process. `current` is the only thing that answering asks of it."""

    def __init__(self) -> None:
        self._snapshot = Snapshot(0, {})
        self._lock = threading.Lock()
        self._first_look = threading.Event()
        # While the thread rests, and will be back well before the next transition: who asks in a hurry asks for this.
        self.settled: Snapshot | None = None
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._first_wait_ends_at = 0.0
        self._looked_at: float | None = None
        self._refused = 0
        self._source = "nothing"
        self._problem = ""
        self._is_over = False

    def current(self) -> Snapshot:
        """The snapshot for now; compiled anew when the clock has passed one of its transitions.

        To ask the clock each time would be a tenth of an answer's time, so the thread says when nobody has to.
        """
        return self.settled or self._current_by_the_clock()

    def begin(self) -> None:
        """Start looking, in this process: not before a fork, not while the product is loading."""
        with self._lock:
            if self._thread is None:
                self._adopt(0, NO_FLAGS)
                self._first_wait_ends_at = time.monotonic() + FIRST_WAIT
                self._thread = threading.Thread(target=self._watch, name="flags", daemon=True)
                self._thread.start()

    def wait_for_first_look(self) -> bool:
        """Whether it is over. All who ask early share the same few seconds."""
        if self._thread is None:
            self.begin()
        return self._first_look.wait(max(0.0, self._first_wait_ends_at - time.monotonic()))

    def hurry(self) -> None:
        """Look now: something was published here."""
        self._wake.set()

    def end(self) -> None:
        """Look no more; what is known stays."""
        self._is_over = True
        self._wake.set()

    def state(self) -> State:
        looked_at, snapshot = self._looked_at, self._snapshot
        age = None if looked_at is None else time.monotonic() - looked_at
        is_stale = age is None or age > STALE_AFTER or self._refused != 0
        return State(snapshot.version, len(snapshot.flags), self._source, is_stale, age, self._problem, self._refused)

    def _current_by_the_clock(self) -> Snapshot:
        if not self._first_look.is_set():
            self.wait_for_first_look()
        snapshot = self._snapshot
        return snapshot if time.time() < snapshot.next_at else self._moved_on()

    def _moved_on(self) -> Snapshot:
        """For now: past a transition, or back with a clock that was put back, which only the thread looks for."""
        with self._lock:
            if not self._snapshot.made_at <= time.time() < self._snapshot.next_at:
                self._snapshot = self._snapshot.at(datetime.now(UTC))
            return self._snapshot

    def _adopt(self, version: int, document: str) -> None:
        self._snapshot = compile_release(version, document, datetime.now(UTC), settings.FLAGS_FORCED)

    def _watch(self) -> None:
        self._take_file()
        pause = INTERVAL
        while not self._is_over:
            pause = INTERVAL if self._look() else min(pause * 2, LONGEST_PAUSE)
            self._first_look.set()
            self._rest(pause)
            self._moved_on()

    def _rest(self, pause: float) -> None:
        """Until the next look, the next transition or a change that is known here."""
        left = self._snapshot.next_at - time.time()
        self.settled = self._snapshot if left > pause + MARGIN else None
        self._wake.wait(max(0.0, min(pause, left)))
        self.settled = None
        self._wake.clear()

    def _take_file(self) -> None:
        kept = last_known_good.read()
        if kept is None:
            return
        try:
            with self._lock:
                self._adopt(*kept)
            self._source = "file"
        except Malformed as fault:
            logger.warning("The file of the last known good flags is ignored. %s", fault)

    def _look(self) -> bool:
        """Whether the database answered. Whatever goes wrong is told, and the thread lives on."""
        try:
            self._ask()
        except (DatabaseError, InterfaceError) as fault:
            self._tell(faults.describe(fault))
        except Exception:
            self._tell("the look itself failed; see the log")
            logger.exception("Looking for a newer release of the flags failed")
        else:
            self._looked_at = time.monotonic()
            if self._problem and not self._refused:
                logger.warning("The flags are up to date again, with release %s.", self._snapshot.version)
                self._problem = ""
            return True
        return False

    def _tell(self, problem: str) -> None:
        if problem != self._problem:
            logger.warning("The flags stay at release %s: %s", self._snapshot.version, problem)
        self._problem = problem

    def _ask(self) -> None:
        close_old_connections()
        self._read()

    def _read(self) -> None:
        known = self._refused or (self._snapshot.version if self._source == "database" else -1)
        with deadline.within(LOOK):
            found = newest_unless(known)
        if found is not None:
            self._take(*found)

    def _take(self, version: int, document: str) -> None:
        """A release that cannot be read changes nothing: the last good one holds."""
        try:
            with self._lock:
                self._adopt(version, document)
        except Malformed as fault:
            self._tell(f"release {version} cannot be read. {fault}")
            self._take_older()
            self._refused = version
            return
        self._refused = 0
        self._took(version, document)

    def _take_older(self) -> None:
        """The last good one is not known here to who has just begun."""
        with deadline.within(LOOK):
            older = release_that_holds()
        if older is None or (self._source != "nothing" and older.number <= self._snapshot.version):
            return
        with self._lock:
            self._adopt(older.number, older.document)
        self._took(older.number, older.document)

    def _took(self, version: int, document: str) -> None:
        self._source = "database"
        logger.info("The flags are at release %s.", version)
        last_known_good.write(version, document)


store = Watcher()


def _begin_anew() -> None:
    """A thread does not live on in a forked process, and a lock may be held there for ever."""
    global store
    store = Watcher()


os.register_at_fork(after_in_child=_begin_anew)
