"""Stops, restarts and kills under load: what was taken is answered, and nothing that is answered is wrong."""

import os
import signal
import time
from collections import Counter

import psycopg
import pytest

from marketedge.admission import SPARE
from tests.faults.load import LOST, REFUSED, SERVED, WRONG, Load
from tests.faults.world import DATABASE, HERE, World, seconds_until, sign_in

pytestmark = [pytest.mark.served, pytest.mark.alone]
CALLERS = 4
# As in production: no fault of the database is tried here, and a busy machine must not look like one. Nobody is turned
# away: there is a place for each caller's next request while the one before, answered, still gives its own back.
PATIENT = {
    "WEB_THREADS": str(2 * CALLERS + SPARE),
    "CONNECT_TIMEOUT": "3",
    "STATEMENT_TIMEOUT": "15000",
    "CLIENT_DEADLINE": "20",
    "REQUEST_DEADLINE": "24",
}


def is_ready(world: World) -> bool:
    return world.get("/healthz/ready", timeout=3).status_code == 200


@pytest.fixture(params=[1, 4], ids=["1 worker", "4 workers"])
def product(request, world):
    with world.serving(request.param, **PATIENT):
        seconds_until(lambda: is_ready(world), 20)
        yield world


def load_on(world: World) -> Load:
    cookie = "; ".join(f"{name}={value}" for name, value in sign_in(world).cookies.items())
    return Load(world.port, HERE, b"Lumen Cinemas", cookie)


def under_load(world: World, seconds: float, keep_alive: bool = False) -> Counter[str]:
    """What became of the requests of so many seconds."""
    with load_on(world).running(CALLERS, keep_alive) as load:
        time.sleep(seconds)
    return load.endings


@pytest.mark.parametrize("keep_alive", [False, True], ids=["new connections", "kept connections"])
def test_on_sigterm_everything_that_was_taken_is_answered(product, keep_alive):
    with load_on(product).running(CALLERS, keep_alive) as load:
        seconds_until(lambda: load.endings[SERVED] > 10, 20)
        began = time.monotonic()
        code = product.stop()
        seconds = time.monotonic() - began

    assert (load.endings[LOST], load.endings[WRONG], code, seconds < 10) == (0, 0, 0, True)


def test_a_request_that_takes_long_is_finished_after_sigterm(product):
    load = load_on(product)
    product.line.slow(0.2)
    with load.running(4):
        time.sleep(0.6)
        product.stop()
    product.line.heal()

    assert (load.endings[LOST], load.endings[WRONG], load.endings[SERVED] >= 4) == (0, 0, True)


@pytest.mark.parametrize("keep_alive", [False, True], ids=["new connections", "kept connections"])
def test_workers_are_replaced_without_losing_anything(product, keep_alive):
    before = set(product.workers())
    with load_on(product).running(CALLERS, keep_alive) as load:
        time.sleep(0.5)
        product.web.send_signal(signal.SIGHUP)
        seconds_until(lambda: before.isdisjoint(product.workers()), 30)
        time.sleep(0.5)

    assert set(load.endings) == {SERVED}, (load.endings, load.wrong_answers)


def test_a_new_release_takes_over_the_port_without_losing_anything(product):
    """As in the notes on deployment: SIGUSR2 starts the new one beside, SIGTERM ends the old one when it is ready."""
    with load_on(product).running(CALLERS) as load:
        time.sleep(0.5)
        product.web.send_signal(signal.SIGUSR2)
        new = seconds_until_new_master(product)
        seconds_until(lambda: is_ready(product), 20)
        old = product.web
        old.send_signal(signal.SIGTERM)
        old.wait(40)
        time.sleep(0.5)
    os.kill(new, signal.SIGTERM)
    seconds_until(lambda: not alive(new), 30)

    assert set(load.endings) == {SERVED}, (load.endings, load.wrong_answers)


def seconds_until_new_master(world: World) -> int:
    """The process that gunicorn started beside itself, once it has workers of its own."""
    found: list[int] = []

    def is_there() -> bool:
        found[:] = [pid for pid in world.workers() if children_of(pid)]
        return bool(found)

    seconds_until(is_there, 30)
    return found[0]


def children_of(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as listed:
            return [int(child) for child in listed.read().split()]
    except OSError:
        return []


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_worker_that_is_killed_takes_only_its_own_requests_with_it(product):
    victim = product.workers()[0]
    with load_on(product).running(CALLERS) as load:
        time.sleep(0.5)
        os.kill(victim, signal.SIGKILL)
        time.sleep(2)

    assert (load.endings[WRONG], load.endings[REFUSED]) == (0, 0)
    assert load.endings[LOST] <= CALLERS
    assert seconds_until(lambda: is_ready(product), 5) < 5


def test_workers_of_a_killed_master_end_by_themselves_and_it_can_be_started_again(product):
    workers = product.workers()
    with load_on(product).running(CALLERS) as load:
        time.sleep(0.5)
        product.web.kill()
        product.web.wait()
        seconds_until(lambda: not any(alive(pid) for pid in workers), 15)

    assert (load.endings[WRONG], load.endings[LOST]) == (0, 0)
    product.start(**PATIENT)
    assert seconds_until(lambda: is_ready(product), 20) < 20


def uses_of_flags(world: World) -> int:
    with psycopg.connect(world.postgres.owner_url(DATABASE)) as session:
        told = session.execute("SELECT coalesce(sum(count), 0) FROM flags_flagexposure").fetchone()
    return int(told[0]) if told else 0


def test_what_was_counted_of_flags_is_written_before_the_workers_end(product):
    before, browser = uses_of_flags(product), sign_in(product)
    for _ in range(5):
        assert browser.get(f"{product.url}{HERE}").status_code == 200

    product.stop()

    assert uses_of_flags(product) - before >= 5


def test_workers_end_soon_when_the_database_does_not_take_what_they_counted(product):
    browser = sign_in(product)
    browser.get(f"{product.url}{HERE}")

    product.line.mute()
    began = time.monotonic()
    code = product.stop()
    seconds = time.monotonic() - began
    product.line.heal()

    # Sooner than our own limit for an answer of the database, which is 20 seconds here.
    assert (code, seconds < 15) == (0, True)
    assert "evaluations of flags are not counted: the process ends." in product.log.read_text()
