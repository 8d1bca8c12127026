"""A disk is full: of the database, of the folder for uploads, of the log. It is said, and the rest goes on."""

import re
from collections.abc import Iterator

import pytest
import requests

from tests.faults.names import can_be_taken_away
from tests.faults.test_database import owner
from tests.faults.world import HERE, World, seconds_until, sign_in

pytestmark = pytest.mark.served
ANALYST = "demonstration|cinema-analyst"
LOAD = f"{HERE}market-edge-core/load/"
WORDS = "A disk of MarketEdge is full"
# What PostgreSQL answers to a write when its disk is full, without filling one.
FULL = """
CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER disk_is_full BEFORE INSERT ON tenants_auditevent EXECUTE FUNCTION disk_is_full();
"""
ROOM_AGAIN = "DROP FUNCTION disk_is_full CASCADE"


@pytest.fixture
def full_database(world: World) -> Iterator[World]:
    with world.serving(1):
        seconds_until(lambda: world.get("/healthz/ready").status_code == 200, 20)
        yield world


def submit(world: World, browser: requests.Session, page: str, action: str, **options) -> requests.Response:
    """Send the form of a page, as a browser does."""
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get(f"{world.url}{page}", timeout=20).text)
    assert token
    form = {"csrfmiddlewaretoken": token[1]}
    return browser.post(f"{world.url}{action}", data=form, timeout=20, allow_redirects=False, **options)


def test_a_full_disk_of_the_database_is_said_and_reading_goes_on(full_database):
    world, browser = full_database, sign_in(full_database)
    owner(world, FULL)
    try:
        refused = submit(world, browser, HERE, "/sign-out/")
        reading = browser.get(f"{world.url}{HERE}", timeout=20, allow_redirects=False)
    finally:
        owner(world, ROOM_AGAIN)
    again = submit(world, browser, HERE, "/sign-out/")

    assert (refused.status_code, refused.headers["Retry-After"], WORDS in refused.text) == (503, "300", True)
    assert refused.headers["X-Request-ID"] in refused.text
    assert refused.headers["X-Request-ID"] in world.log.read_text()
    assert "base/1/2" not in refused.text
    assert (reading.status_code, again.status_code) == (200, 302)


@pytest.mark.skipif(not can_be_taken_away(), reason="this machine lets nobody mount a small disk")
def test_a_full_disk_for_uploads_is_said_and_nothing_is_half_loaded(world):
    prices = "market,competitor,product,price,currency,collected_at\n" + "A,B,C,1.00,GBP,2026-01-01\n" * 120_000

    with world.serving(1, TMPDIR=str(world.names.small_disk)):
        seconds_until(lambda: world.get("/healthz/ready").status_code == 200, 20)
        browser = sign_in(world, ANALYST)
        refused = submit(world, browser, LOAD, LOAD, files={"file": ("prices.csv", prices)})
        small = submit(world, browser, LOAD, LOAD, files={"file": ("prices.csv", prices[:70])})

    assert (refused.status_code, WORDS in refused.text) == (503, True)
    assert small.status_code in {200, 302}


def test_a_full_disk_under_the_log_takes_no_page_with_it(world, monkeypatch):
    with open("/dev/full", "wb") as full:
        monkeypatch.setattr(world, "output", full)
        with world.serving(1):
            seconds_until(lambda: world.get("/healthz/ready").status_code == 200, 20)
            page = sign_in(world).get(f"{world.url}{HERE}", timeout=20)
            missing = world.get("/nothing/")
            assert world.web
            assert world.web.poll() is None

    assert (page.status_code, missing.status_code) == (200, 404)
