"""`smoke` on a running instance: the whole journey, signed in too, and nothing left behind."""

import json
import time

import psycopg
import pytest

from tests.faults.world import DATABASE, World, seconds_until
from tests.marketedge.serving import MuteServer

pytestmark = pytest.mark.served
COMMIT = "0123456789abcdef"


@pytest.fixture(scope="module")
def product(world):
    with world.serving(RELEASE_COMMIT=COMMIT):
        seconds_until(lambda: world.get("/healthz/startup").status_code == 200, 20)
        yield world


def smoke(world: World, *arguments: str, url: str = "") -> tuple[int, dict[str, str]]:
    """The exit code, and what is held against each subject."""
    told = world.manage("smoke", url or world.url, "--json", *arguments, PORT="1")
    findings = json.loads(told.stdout)["findings"]
    return told.returncode, {one["subject"]: one["says"] for one in findings if one["state"] in {"problem", "unknown"}}


def sessions(world: World) -> int:
    with psycopg.connect(world.postgres.owner_url(DATABASE)) as connection:
        row = connection.execute("SELECT count(*) FROM accounts_session").fetchone()
    return row[0] if row else 0


@pytest.mark.parametrize(
    "arguments", [[], ["--as", "chloe@lumen-cinemas.example"], ["--as", "sana@zebra-associates.example"]]
)
def test_the_journey_ends_well_and_leaves_nothing(product, arguments):
    before = sessions(product)

    ended = smoke(product, "--expect-commit", COMMIT, *arguments)

    assert (ended, sessions(product)) == ((0, {}), before)


def test_another_commit_is_a_problem(product):
    assert smoke(product, "--expect-commit", "fedcba9") == (
        1,
        {"commit": f"{COMMIT} runs, fedcba9 was expected"},
    )


def test_who_cannot_sign_in_is_said(product):
    code, wrong = smoke(product, "--as", "jack@elsewhere.example")

    assert (code, wrong["signed in"].startswith("the person is refused")) == (1, True)


def test_an_instance_without_its_database_is_a_problem(product):
    product.line.cut()
    try:
        seconds_until(lambda: product.get("/healthz/ready").status_code == 503, 5)  # its last answer is kept a while
        code, wrong = smoke(product, "--timeout", "60")
    finally:
        product.line.heal()

    assert (code, {"/healthz/ready", "/health"} <= wrong.keys()) == (1, True)


def test_a_mute_instance_is_given_up_in_time(world):
    mute = MuteServer()
    began = time.monotonic()

    code, _ = smoke(world, "--timeout", "2", url=f"http://127.0.0.1:{mute.port}")

    assert (code, time.monotonic() - began < 10) == (3, True)
    mute.close()
