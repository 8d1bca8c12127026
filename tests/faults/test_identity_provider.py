"""The identity provider breaks: who is signed in works on, the sign-in page says so, and it ends by itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
import requests

from accounts.local_provider.tokens import Faults
from tests.faults.world import HERE, World, seconds_until, sign_in

pytestmark = pytest.mark.served
NOTICE = "The sign-in service does not answer just now"


@dataclass(frozen=True)
class Fault:
    name: str
    begin: Callable[[World], None]
    is_shown: bool = True


def swallow(world: World) -> None:
    world.provider_line.swallow()


def mute(world: World) -> None:
    world.provider.faults = replace(world.provider.faults, is_mute=True)


def break_exchange(world: World) -> None:
    world.provider.faults = replace(world.provider.faults, token_status=500)


def slow(world: World) -> None:
    world.provider.faults = replace(world.provider.faults, seconds_late=2.0)


def heal(world: World) -> None:
    world.provider.faults = Faults()
    world.provider_line.heal()


FAULTS = (
    Fault("black-holed", swallow),
    Fault("mute", mute),
    Fault("slow", slow),
    # Only the exchange of codes is broken, which nobody can see before they sign in.
    Fault("500 at the exchange", break_exchange, is_shown=False),
)


@pytest.fixture(scope="module", params=[1, 4], ids=["1 worker", "4 workers"])
def product(request: pytest.FixtureRequest, world: World) -> Iterator[tuple[World, requests.Session]]:
    with world.serving(request.param):
        seconds_until(lambda: world.get("/healthz/ready").status_code == 200, 20)
        yield world, sign_in(world)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_signed_in_people_work_on_and_the_sign_in_page_says_so(product, fault):
    world, browser = product
    fault.begin(world)
    try:
        if fault.is_shown:
            seconds_until(lambda: NOTICE in world.get("/sign-in/", timeout=3).text, 20)
        ready = world.get("/healthz/ready", timeout=3).status_code
        page = browser.get(f"{world.url}{HERE}", timeout=1, allow_redirects=False).status_code
        live = world.get("/healthz/live", timeout=1).status_code
    finally:
        heal(world)

    assert (live, ready, page) == (200, 200, 200)
    seconds_until(lambda: NOTICE not in world.get("/sign-in/", timeout=3).text, 20)
    assert sign_in(world).get(f"{world.url}{HERE}", timeout=5, allow_redirects=False).status_code == 200
