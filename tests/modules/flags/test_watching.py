"""The thread that learns of newer releases: whatever happens, it goes on, and what was good stays."""

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError

from modules.flags import watching
from tests.modules.flags.documents import body, document


@pytest.fixture
def says(monkeypatch) -> Callable[[object], None]:
    """What the database says from now on when it is asked for the newest release; a fault is raised."""
    monkeypatch.setattr(watching, "INTERVAL", 0.02)
    monkeypatch.setattr(watching, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(watching, "release_that_holds", lambda: None)

    def say(answer) -> None:
        def newest_unless(known: int):
            if isinstance(answer, Exception):
                raise answer
            return None if answer[0] == known else answer

        monkeypatch.setattr(watching, "newest_unless", newest_unless)

    say((1, document(wanted=body())))
    return say


def until(asked: Callable[[], bool], within: float = 3.0) -> None:
    ends_at = time.monotonic() + within
    while not asked():
        assert time.monotonic() < ends_at
        time.sleep(0.01)


def test_nothing_begins_before_somebody_asks(says, watchers):
    watcher = watchers()

    before = watcher._thread
    version = watcher.current().version

    assert (before, version) == (None, 1)
    assert watcher._thread.daemon is True


def test_a_newer_release_is_taken_and_so_is_an_older_one(says, watchers):
    watcher = watchers()
    watcher.current()

    says((3, document(other=body())))
    until(lambda: sorted(watcher.current().flags) == ["other"])
    says((2, document(wanted=body())))
    until(lambda: watcher.current().version == 2)


@pytest.mark.parametrize("text", ["{", '{"format": 2, "flags": {}}'])
def test_a_release_that_cannot_be_read_changes_nothing_and_is_told_once(says, text, caplog, watchers):
    watcher = watchers()
    watcher.current()

    says((2, text))
    until(lambda: watcher.state().is_stale)
    time.sleep(0.1)

    assert (watcher.current().version, "release 2 cannot be read" in watcher.state().problem) == (1, True)
    assert len([record for record in caplog.records if "cannot be read" in record.message]) == 1
    says((3, document(other=body())))
    until(lambda: watcher.state().problem == "")
    assert (watcher.current().version, watcher.state().is_stale) == (3, False)


@pytest.mark.parametrize(("known", "held"), [(None, 2), (1, 2), (2, 2), (3, 3)])
def test_the_newest_of_those_that_can_be_read_holds_meanwhile(says, monkeypatch, known, held, watchers):
    older = SimpleNamespace(number=2, document=document(older=body()))
    watcher = watchers()
    if known:
        says((known, document(wanted=body())))
        watcher.current()
    monkeypatch.setattr(watching, "release_that_holds", lambda: older)

    says((4, '{"format": 2, "flags": {}}'))
    watcher.current()
    until(lambda: "release 4 cannot be read" in watcher.state().problem and watcher.state().version == held)

    assert (watcher.state().is_stale, watcher.state().source) == (True, "database")


def test_the_database_is_asked_for_an_older_one_until_it_answers(says, monkeypatch, watchers):
    def gone():
        raise OperationalError("gone")

    older = SimpleNamespace(number=2, document=document(older=body()))
    monkeypatch.setattr(watching, "release_that_holds", gone)
    says((4, '{"format": 2, "flags": {}}'))
    watcher = watchers()
    before = watcher.current().version

    monkeypatch.setattr(watching, "release_that_holds", lambda: older)

    until(lambda: watcher.state().version == 2)
    assert before == 0


@pytest.mark.parametrize("fault", [OperationalError("gone"), RuntimeError("a mistake of ours")])
def test_whatever_fails_the_thread_goes_on(says, fault, watchers):
    watcher = watchers()
    watcher.current()

    says(fault)
    until(lambda: watcher.state().problem != "")
    during = watcher.current().version
    says((2, document(wanted=body())))
    until(lambda: watcher.current().version == 2)
    until(lambda: watcher.state().problem == "")

    assert during == 1


def test_who_asks_first_waits_no_longer_than_the_limit(says, monkeypatch, watchers):
    monkeypatch.setattr(watching, "FIRST_WAIT", 0.2)
    monkeypatch.setattr(watching, "newest_unless", lambda known: time.sleep(1.0))
    watcher = watchers()

    began = time.monotonic()
    first, second = watcher.current().version, watcher.current().version

    assert (first, second) == (0, 0)
    assert time.monotonic() - began < 0.8


def test_an_old_look_is_stale(says, monkeypatch, watchers):
    watcher = watchers()
    watcher.current()
    fresh = watcher.state().is_stale

    monkeypatch.setattr(watching, "STALE_AFTER", -1.0)

    assert (fresh, watcher.state().is_stale) == (False, True)


def test_the_snapshot_moves_on_by_itself_at_its_transition(says, watchers):
    at = datetime.now(UTC) + timedelta(seconds=0.4)
    says((1, document(wanted=body(starts_at=at.isoformat()))))
    watcher = watchers()

    before = watcher.current().flags["wanted"].fixed
    until(lambda: time.time() > at.timestamp())

    assert (before is None, watcher.current().flags["wanted"].fixed) == (False, None)


def test_a_transition_has_its_moment_while_a_look_takes_long(says, monkeypatch, watchers):
    monkeypatch.setattr(watching, "MARGIN", 0.2)
    at = datetime.now(UTC) + timedelta(seconds=1.5)
    says((1, document(wanted=body(starts_at=at.isoformat()))))
    watcher = watchers()
    watcher.current()
    looks = threading.Event()

    def takes_long(known: int) -> None:
        looks.set()
        time.sleep(3.0)

    monkeypatch.setattr(watching, "newest_unless", takes_long)
    watcher.hurry()
    assert looks.wait(3)
    before = watcher.current().flags["wanted"].fixed
    time.sleep(max(0.0, at.timestamp() - time.time()))

    assert (before is None, watcher.current().flags["wanted"].fixed) == (False, None)


class Clock:
    """Runs as the real one does, so many seconds away from it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead, now = 0.0, time.time
        monkeypatch.setattr(
            watching, "time", SimpleNamespace(time=lambda: now() + self.ahead, monotonic=time.monotonic)
        )
        moment = SimpleNamespace(now=lambda zone: datetime.fromtimestamp(now() + self.ahead, zone))
        monkeypatch.setattr(watching, "datetime", moment)


def test_a_clock_that_is_put_back_takes_the_flags_back_and_on_again(says, monkeypatch, watchers):
    clock, at = Clock(monkeypatch), datetime.now(UTC) + timedelta(hours=1)
    says((1, document(wanted=body(starts_at=at.isoformat()))))
    watcher = watchers()

    def is_open() -> bool:
        return watcher.current().flags["wanted"].fixed is None

    before = is_open()
    clock.ahead = 7_200.0
    until(is_open)
    clock.ahead = 0.0
    until(lambda: not is_open())
    clock.ahead = 3_601.0
    until(is_open)

    assert before is False


def test_who_asks_shortly_before_a_transition_asks_the_clock(says, monkeypatch, watchers):
    clock, at = Clock(monkeypatch), datetime.now(UTC) + timedelta(seconds=watching.MARGIN)
    monkeypatch.setattr(watching, "INTERVAL", 60.0)
    says((1, document(wanted=body(starts_at=at.isoformat()))))
    watcher = watchers()

    before = watcher.current().flags["wanted"].fixed
    clock.ahead = watching.MARGIN

    assert (before is None, watcher.current().flags["wanted"].fixed) == (False, None)


def test_nobody_asks_the_clock_long_before_a_transition(says, monkeypatch, watchers):
    at = datetime.now(UTC) + timedelta(hours=1)
    says((1, document(wanted=body(starts_at=at.isoformat()))))
    monkeypatch.setattr(watching, "INTERVAL", 60.0)
    watcher = watchers()
    watcher.current()
    until(lambda: watcher.settled is not None)

    asked: list[threading.Thread] = []

    def told() -> float:
        asked.append(threading.current_thread())
        return time.time()

    monkeypatch.setattr(watching, "time", SimpleNamespace(time=told, monotonic=time.monotonic))

    assert watcher.current().version == 1
    assert threading.current_thread() not in asked


def test_a_forked_process_begins_anew(says):
    parents = watching.store
    reading, writing = os.pipe()

    child = os.fork()
    if not child:
        os.write(writing, b"new" if watching.store is not parents and watching.store._thread is None else b"old")
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reading, 3) == b"new"
    assert watching.store is parents
    os.close(reading)
    os.close(writing)
