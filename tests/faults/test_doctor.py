"""`doctor` names each fault in one line, within its time."""

import json
import re
import time

import pytest

from tests.faults.test_database import FAULTS
from tests.faults.world import World, seconds_until

pytestmark = pytest.mark.served
LIMIT = 10.0  # seconds: its default
# The world's own limits are shorter than in production; these fit to them.
FITTING = {"TCP_TIMEOUT": "3000", "LOCK_TIMEOUT": "2000"}
# What it says of a fault, where it knows more than readiness does.
SAYS = {"slow: 2 s per query": "is slow: 2."}


def ask_doctor(world: World) -> tuple[dict[str, str], int, float]:
    """What is held against each subject, the exit code, and how long it took."""
    began = time.monotonic()
    told = world.manage("doctor", "--json", PORT="1", **FITTING)
    took = time.monotonic() - began
    findings = json.loads(told.stdout)["findings"]
    return {one["subject"]: one["says"] for one in findings if one["state"] == "problem"}, told.returncode, took


def test_the_doctor_finds_nothing_where_nothing_is_wrong(world):
    assert ask_doctor(world)[:2] == ({}, 0)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_doctor_names_the_fault_of_the_database(world, fault):
    fault.begin(world)
    try:
        problems, code, took = ask_doctor(world)
    finally:
        fault.end(world)

    words = SAYS.get(fault.name, fault.says)
    assert (len(problems), code, took < LIMIT) == (1, 1, True), problems
    assert words in "".join(problems.values())


@pytest.mark.parametrize(
    ("begin", "words"),
    [
        (lambda world: world.provider_line.cut(), "the connection is refused: nothing listens there"),
        (lambda world: world.provider_line.mute(), "no whole answer within"),
        (lambda world: world.provider_line.swallow(), "no whole answer within"),
        (lambda world: world.provider_line.slow(1.2), r"is slow: 1\.[2-9] s for one answer"),
    ],
)
def test_the_doctor_names_the_fault_of_the_provider(world, begin, words):
    begin(world)
    try:
        problems, code, took = ask_doctor(world)
    finally:
        world.provider_line.heal()

    assert (list(problems), code, took < LIMIT) == (["identity provider"], 1, True)
    assert re.search(words, problems["identity provider"])


def test_all_that_is_wrong_at_once_is_named_in_the_same_time(world):
    world.line.mute()
    world.provider_line.mute()
    try:
        problems, code, took = ask_doctor(world)
    finally:
        world.line.heal()
        world.provider_line.heal()

    assert (sorted(problems), code, took < LIMIT) == (["database", "identity provider"], 1, True)


def test_a_running_process_is_asked_too(world):
    with world.serving(RELEASE_COMMIT="1111111"):
        seconds_until(lambda: world.get("/healthz/ready").status_code == 200, 20)
        told = world.manage("doctor", "--json", RELEASE_COMMIT="2222222")

    says = {one["subject"]: one["says"] for one in json.loads(told.stdout)["findings"]}
    assert says["web process"] == f"at 127.0.0.1:{world.port} runs commit 1111111, this is 2222222"
