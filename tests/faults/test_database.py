"""Each fault of the database, from outside, on a running instance: what is said while it lasts, and how it ends."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest
import requests

from tenants.postgresql.names import KEPT
from tests.faults.conftest import RESULTS
from tests.faults.names import can_be_taken_away
from tests.faults.world import DATABASE, HERE, PAGE_LIMIT, World, seconds_until, sign_in

pytestmark = [pytest.mark.served, pytest.mark.alone]
ONE_INTERVAL = 5.0  # seconds: an answer of ready is kept for two, the next question has two, and there is some air


@dataclass(frozen=True)
class Fault:
    """`says` is what ready says of it, `page` what somebody who is signed in sees at a page that only reads."""

    name: str
    begin: Callable[[World], None]
    end: Callable[[World], None]
    says: str
    page: int = 503


def heal(world: World) -> None:
    world.line.heal()


def forget_host(world: World) -> None:
    require_names()
    world.names.forget()
    time.sleep(KEPT)
    end_sessions(world)


def silence_name_server(world: World) -> None:
    require_names()
    world.names.be_mute()
    time.sleep(KEPT)
    end_sessions(world)


def remember_host(world: World) -> None:
    world.names.know()


def require_names() -> None:
    if not can_be_taken_away():
        pytest.skip("this machine lets nobody have host names of their own")


def kill(world: World) -> None:
    assert world.postgres.process
    world.postgres.process.kill()
    world.postgres.process.wait()


def start_again(world: World) -> None:
    world.postgres.stop()
    world.postgres.start()
    world.line.target = world.postgres.port


def end_sessions(world: World) -> None:
    world.as_superuser(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{DATABASE}'")


def exhaust(world: World) -> None:
    world.as_superuser(f"ALTER DATABASE {DATABASE} CONNECTION LIMIT 0")
    end_sessions(world)


def allow_all(world: World) -> None:
    world.as_superuser(f"ALTER DATABASE {DATABASE} CONNECTION LIMIT -1")


def make_read_only(world: World) -> None:
    world.as_superuser(f"ALTER DATABASE {DATABASE} SET default_transaction_read_only = on")
    end_sessions(world)


def make_writable(world: World) -> None:
    world.as_superuser(f"ALTER DATABASE {DATABASE} RESET default_transaction_read_only")
    end_sessions(world)


def change_password(world: World) -> None:
    world.as_superuser("ALTER ROLE marketedge_web PASSWORD 'another'")
    end_sessions(world)


def restore_password(world: World) -> None:
    password = world.postgres.web_url(DATABASE).partition("marketedge_web:")[2].partition("@")[0]
    world.as_superuser(f"ALTER ROLE marketedge_web PASSWORD '{password}'")


def forget_migration(world: World) -> None:
    owner(world, "UPDATE django_migrations SET app = 'x' WHERE app = 'market_edge_core'")


def remember_migration(world: World) -> None:
    owner(world, "UPDATE django_migrations SET app = 'market_edge_core' WHERE app = 'x'")


def owner(world: World, statement: str) -> None:
    with psycopg.connect(world.postgres.owner_url(DATABASE), autocommit=True) as connection:
        connection.execute(statement)


NO_ANSWER = "it does not answer in time"
NO_NAME = "its host name is not looked up in time: the name servers do not answer"
FAULTS = (
    Fault("port black-holed", lambda world: world.line.swallow(), heal, NO_ANSWER),
    Fault("port accepts and is mute", lambda world: world.line.accept_and_be_mute(), heal, NO_ANSWER),
    Fault("mute in mid-query", lambda world: world.line.mute(), heal, NO_ANSWER),
    Fault("slow: 2 s per query", lambda world: world.line.slow(2.0), heal, NO_ANSWER),
    Fault("unknown host", forget_host, remember_host, "its host name is unknown"),
    Fault("name server mute", silence_name_server, remember_host, NO_NAME),
    Fault("refused", lambda world: world.line.cut(), heal, "the connection is refused: nothing listens there"),
    Fault("killed and started again", kill, start_again, "it ended the connection"),
    Fault("connections exhausted", exhaust, allow_all, "too many connections"),
    Fault("wrong password", change_password, restore_password, "the login or its password is refused"),
    Fault(
        "read-only",
        make_read_only,
        make_writable,
        "it can be read but not changed (a standby, or set to read-only)",
        200,
    ),
    Fault("a migration missing", forget_migration, remember_migration, "not applied: market_edge_core", 200),
)


@pytest.fixture(scope="module", params=[1, 4], ids=["1 worker", "4 workers"])
def product(request: pytest.FixtureRequest, world: World) -> Iterator[tuple[World, requests.Session, int]]:
    with world.serving(request.param):
        seconds_until(lambda: world.get("/healthz/ready").status_code == 200, 20)
        yield world, sign_in(world), request.param


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_fault_is_said_and_survived(product, fault):
    world, browser, workers = product
    fault.begin(world)
    try:
        live = seconds_until(lambda: world.get("/healthz/live", timeout=1).status_code == 200, 1)
        ready = seconds_until(lambda: fault.says in says(world), ONE_INTERVAL)
        page, page_seconds = open_page(world, browser)
        address = world.get("/api/v1/auth/auth0-url?redirect_uri=https://app.example/callback", timeout=1)
        sign_in_page = world.get("/sign-in/", timeout=3)
        assert world.get("/healthz/startup", timeout=1).status_code == 200
    finally:
        fault.end(world)
    page_again = seconds_until(lambda: open_page(world, browser)[0].status_code == 200, ONE_INTERVAL)
    ready_again = seconds_until(lambda: world.get("/healthz/ready").status_code == 200, ONE_INTERVAL)

    note(fault, workers, live, ready, page, page_seconds, page_again, ready_again)
    assert (page.status_code, page_seconds < PAGE_LIMIT) == (fault.page, True)
    assert (address.status_code, sign_in_page.status_code) == (200, 200)
    if page.status_code == 503:
        incident = page.headers["X-Request-ID"]
        assert (page.headers["Retry-After"], incident in page.text, incident in world.log.read_text()) == (
            "10",
            True,
            True,
        )


def says(world: World) -> str:
    response = world.get("/healthz/ready", timeout=3)
    return "" if response.status_code == 200 else str(response.json()["problems"])


def open_page(world: World, browser: requests.Session) -> tuple[requests.Response, float]:
    began = time.monotonic()
    response = browser.get(f"{world.url}{HERE}", timeout=20, allow_redirects=False)
    return response, time.monotonic() - began


def note(fault, workers, live, ready, page, page_seconds, page_again, ready_again) -> None:
    if not RESULTS:
        RESULTS.append(("fault", "workers", "live", "ready", "ready says", "page", "page ok", "ready ok"))
    seen = f"{page.status_code} after {page_seconds:.2f} s"
    figures = (f"{live:.2f}", f"{ready:.2f}", fault.says, seen, f"{page_again:.2f}", f"{ready_again:.2f}")
    RESULTS.append((fault.name, str(workers), *figures))
