"""Flags in several processes: a change is obeyed by all of them, and an outage of the database by none."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.environment import ROOT
from tests.faults.proxy import Line
from tests.migrations.conftest import copy, migrated  # noqa: F401 (fixtures)
from tests.migrations.databases import Database

pytestmark = [pytest.mark.served, pytest.mark.alone]
KEY = "export_functionality"
NOBODY_LISTENS = "postgres://marketedge_web:none@127.0.0.1:1/marketedge"


class Process:
    """See `answering`."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.modules.flags.answering"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def say(self, line: str) -> Any:
        self.tell(line)
        assert self.process.stdout
        told = self.process.stdout.readline()
        return json.loads(told) if told else None

    def tell(self, line: str) -> None:
        """Without waiting for the answer."""
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def stop(self) -> None:
        with self.process:
            self.process.kill()


@pytest.fixture
def released(copy: Database) -> Database:  # noqa: F811
    copy.must("bootstrap", "--apply")
    return copy


@pytest.fixture
def line(released: Database) -> Iterator[Line]:
    """The way to the database of those who are started with it."""
    made = Line(urlsplit(released.environment["DATABASE_URL"]).port or 0)
    yield made
    made.close()


@pytest.fixture
def start(released: Database) -> Iterator[Callable[..., Process]]:
    with ExitStack() as stops:

        def started(line: Line | None = None, **changes: str) -> Process:
            environment = {**released.environment, **changes}
            if line:
                address = urlsplit(environment["DATABASE_URL"])
                environment["DATABASE_URL"] = environment["DATABASE_URL"].replace(f":{address.port}/", f":{line.port}/")
            process = Process(environment)
            stops.callback(process.stop)
            return process

        yield started


def until(asked: Callable[[], bool], within: float) -> float:
    began = time.monotonic()
    while not asked():
        assert time.monotonic() - began < within, f"not within {within} seconds"
        time.sleep(0.02)
    return time.monotonic() - began


def test_a_change_is_obeyed_by_the_other_process_within_a_second_and_a_half(start):
    one, other = start(), start()
    before = [one.say(f"ask {KEY}"), other.say(f"ask {KEY}")]

    one.say(f"kill {KEY}")
    until(lambda: not other.say(f"ask {KEY}")["is_on"], within=1.5)
    one.say(f"restore {KEY}")
    until(lambda: other.say(f"ask {KEY}")["is_on"], within=1.5)

    assert [told["is_on"] for told in before] == [True, True]
    assert other.say(f"ask {KEY}")["version"] == before[0]["version"] + 2


def test_without_the_database_answers_stay_and_are_said_to_be_stale_until_it_is_back(start, released, line):
    process = start(line)
    before = process.say(f"ask {KEY}")

    line.cut()
    changed = start()
    changed.say(f"kill {KEY}")
    until(lambda: process.say("state")["is_stale"], within=12)
    during = process.say(f"ask {KEY}")
    line.heal()
    until(lambda: not process.say("state")["is_stale"], within=15)

    assert (before["is_on"], during) == (True, before)
    assert process.say(f"ask {KEY}")["is_on"] is False


def test_nobody_waits_while_the_database_is_mute(start, line):
    process = start(line)
    before = process.say(f"ask {KEY}")

    line.mute()
    slowest = max(timed(lambda: process.say(f"ask {KEY}") == before) for _ in range(40))

    assert slowest < 0.5


def timed(asked: Callable[[], bool]) -> float:
    began = time.monotonic()
    assert asked()
    time.sleep(0.1)
    return time.monotonic() - began - 0.1


def test_a_start_without_the_database_answers_from_the_file_of_this_installation(start, line, tmp_path):
    file = {"FLAGS_FILE": str(tmp_path / "flags")}
    keeper = start(line, **file)
    keeper.say(f"kill {KEY}")
    until(lambda: not keeper.say(f"ask {KEY}")["is_on"], within=5)
    kept = keeper.say(f"ask {KEY}")

    line.cut()
    here, elsewhere = start(line, **file), start(DATABASE_URL=NOBODY_LISTENS, **file)

    assert here.say(f"ask {KEY}") == kept
    assert [here.say("state")[name] for name in ("source", "is_stale")] == ["file", True]
    assert (elsewhere.say(f"ask {KEY}"), elsewhere.say("state")["source"]) == (
        {"is_on": False, "version": 0},
        "nothing",
    )


PAIR = "export_functionality market_edge_v2"


@pytest.fixture
def one_of_two(start: Callable[..., Process]) -> Process:
    """A process that knows exactly one of the pair to be on, and of which every change is one release of both."""
    process = start()
    process.say("kill market_edge_v2")
    until(lambda: process.say(f"pair {PAIR}") == [[True, False]], within=5)
    return process


def test_half_of_a_change_is_never_seen(start, one_of_two, released):
    """Asked without a pause while each change arrives, which is waited for: none may be missed, nor seen in part."""
    changing = start()
    seen: set[tuple[bool, bool]] = set()

    def has_arrived() -> bool:
        seen.update((one, other) for one, other in one_of_two.say(f"pair {PAIR}"))
        ((newest,),) = released.rows("SELECT max(number) FROM flags_flagrelease")
        return bool(one_of_two.say(f"ask {KEY}")["version"] == newest)

    for is_on in (True, False) * 4:
        changing.say(f"swap {PAIR}")
        until(has_arrived, within=5)
        assert one_of_two.say(f"pair {PAIR}") == [[not is_on, is_on]]

    assert seen == {(True, False), (False, True)}


def test_whenever_somebody_who_changes_flags_is_killed_a_change_is_whole_or_not_there(start, one_of_two, released):
    """Killed at moments by chance: before, in and after the transaction, and while the next one begins."""
    chance = random.Random(5)
    for _ in range(4):
        changing = start()
        changing.say("is_published")
        changing.tell(f"swaps {PAIR}")
        time.sleep(chance.uniform(0.05, 0.4))
        changing.stop()

        assert one_of_two.say("is_published") is True
        assert one_of_two.say(f"pair {PAIR}") in ([[True, False]], [[False, True]], [[False, True], [True, False]])
    one_of_two.say(f"swap {PAIR}")

    numbers = [number for (number,) in released.rows("SELECT number FROM flags_flagrelease ORDER BY 1")]
    assert len(numbers) > 6
    assert numbers == list(range(1, len(numbers) + 1))


def test_who_is_killed_in_the_middle_of_a_change_leaves_nothing_behind(start, released):
    one, other = start(), start()
    before = other.say(f"ask {KEY}")

    assert one.say(f"die {KEY}") is None
    other.say("restore market_edge_v2")
    other.say("kill market_edge_v2")

    numbers = [number for (number,) in released.rows("SELECT number FROM flags_flagrelease ORDER BY 1")]
    assert other.say(f"ask {KEY}")["is_on"] is before["is_on"] is True
    assert numbers == list(range(1, len(numbers) + 1))
