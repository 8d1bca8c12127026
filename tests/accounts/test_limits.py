"""Who is told to wait, and who never is: limits of the sign-in and of the API, shared by all processes."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone

from accounts import limits
from accounts.limits import SharedLimiter
from accounts.models import RateLimitUse
from accounts.rates import Rate, Use
from modules import cleaning
from tenants import scope
from tests.factories import make_member, make_organisation

pytestmark = pytest.mark.django_db
ME = "/api/v1/auth/me"
START = "/oidc/authenticate/"
TRICKLE = Use("a", Rate(per_minute=1, burst=3))


def seconds_pass(seconds: float) -> None:
    with scope.login():
        RateLimitUse.objects.update(full_at=F("full_at") - timedelta(seconds=seconds))


def browser(**headers: str) -> Client:
    return Client(headers={"X-Forwarded-Proto": "https", **headers})


def statuses(client: Client, path: str, count: int, **options: Any) -> set[int]:
    return {client.get(path, **options).status_code for _ in range(count)}


@pytest.fixture
def ben(bearer):
    make_member(make_organisation(), subject="auth0|ben")
    return bearer("auth0|ben")


def test_a_burst_passes_and_the_next_is_told_how_long_to_wait():
    limiter = SharedLimiter()

    waits = [limiter.seconds_to_wait([TRICKLE]) for _ in range(4)]

    assert waits[:3] == [0, 0, 0]
    assert 55 < waits[3] <= 60


def test_time_gives_calls_back():
    limiter = SharedLimiter()
    for _ in range(3):
        limiter.seconds_to_wait([TRICKLE])
    seconds_pass(61)

    assert [limiter.seconds_to_wait([TRICKLE]) > 0 for _ in range(2)] == [False, True]


def test_every_process_counts_the_same_calls():
    for _ in range(3):
        SharedLimiter().seconds_to_wait([TRICKLE])

    assert SharedLimiter().seconds_to_wait([TRICKLE]) > 0


def test_the_strictest_of_several_limits_decides():
    limiter = SharedLimiter()
    uses = [Use("narrow", Rate(per_minute=1, burst=1)), Use("wide", Rate(per_minute=600, burst=100))]

    assert limiter.seconds_to_wait(uses) == 0
    assert 55 < limiter.seconds_to_wait(uses) <= 60


def test_refused_calls_write_nothing():
    limiter = SharedLimiter()
    for _ in range(3):
        limiter.seconds_to_wait([TRICKLE])
    before = RateLimitUse.objects.get().full_at

    for _ in range(5):
        limiter.seconds_to_wait([TRICKLE])

    assert RateLimitUse.objects.get().full_at == before


@pytest.mark.django_db(transaction=True)
def test_processes_at_the_same_moment_let_no_more_than_the_burst_pass():
    passed: list[int] = []

    def ask() -> None:
        limiter = SharedLimiter()
        passed.extend(1 for _ in range(20) if not limiter.seconds_to_wait([TRICKLE]))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(passed) == 3


@pytest.mark.parametrize(("path", "peak"), [(ME, 36), (ME, 120)])
def test_the_peaks_of_the_single_page_app_pass_at_once(client, ben, path, peak):
    assert statuses(client, path, peak, headers=ben) == {200}


def test_a_busy_minute_of_the_single_page_app_passes(client, ben):
    answers = set()
    for _ in range(60):
        answers |= statuses(client, ME, 7, headers=ben)
        seconds_pass(1)

    assert answers == {200}


def test_beyond_it_the_api_says_when_to_try_again(client, ben, settings):
    settings.API_RATE = (60, 2)
    statuses(client, ME, 2, headers=ben)

    response = client.get(ME, headers=ben)

    assert (response.status_code, response.headers["Retry-After"]) == (429, "1")
    assert response.json() == {
        "detail": "That was too often in a short time. Try again in 1 second.",
        "code": "too_many_requests",
    }


def test_a_person_has_calls_for_each_application(client, bearer, ben, settings):
    settings.API_RATE = (60, 1)
    statuses(client, ME, 2, headers=ben)

    assert statuses(client, ME, 1, headers=bearer("auth0|ben", azp="another-app")) == {200}


def test_people_do_not_take_each_others_calls(client, bearer, ben, settings):
    settings.API_RATE = (60, 1)
    make_member(make_organisation(), subject="auth0|greta")
    statuses(client, ME, 2, headers=ben)

    assert statuses(client, ME, 1, headers=bearer("auth0|greta")) == {200}


def test_those_whom_nobody_knows_cannot_lock_out_who_is_known_behind_their_address(client, ben, settings):
    settings.ADDRESS_RATE = (60, 3)
    flood = [client.get(ME, headers={"Authorization": "Bearer dead"}).status_code for _ in range(5)]

    assert (flood, statuses(client, ME, 1, headers=ben)) == ([401, 401, 401, 429, 429], {200})


def test_fifty_people_behind_one_address_begin_to_sign_in_at_once():
    people = [browser() for _ in range(50)]

    assert {step for person in people for step in statuses(person, START, 2)} == {302}


def test_one_browser_that_asks_without_end_is_told_to_wait_and_its_neighbours_are_not(settings):
    settings.SIGN_IN_RATE = (30, 5)
    restless, neighbour = browser(), browser()
    statuses(restless, START, 6)

    response = restless.get(START)

    assert (response.status_code, response.headers["Retry-After"]) == (429, "2")
    assert "Try again in 2 seconds." in response.content.decode()
    assert statuses(neighbour, START, 3) == {302}


def test_who_is_over_their_own_limit_takes_nothing_from_their_address(settings):
    settings.SIGN_IN_RATE, settings.ADDRESS_RATE = (1, 2), (1, 10)
    restless, neighbour = browser(), browser()
    # From now on both have a name, and share the ceiling of those that do.
    assert statuses(neighbour, START, 1) == {302}

    assert [restless.get(START).status_code for _ in range(20)].count(302) == 3
    assert statuses(neighbour, START, 2) == {302}


def test_the_way_back_from_the_provider_is_limited_as_well(settings):
    settings.SIGN_IN_RATE = (30, 2)
    restless = browser()

    answers = [restless.get("/oidc/callback/", {"code": "x", "state": "y"}).status_code for _ in range(4)]

    assert answers == [302, 302, 302, 429]


def test_a_flood_of_browsers_without_a_name_meets_the_ceiling_of_its_address(settings):
    settings.ADDRESS_RATE = (60, 3)

    assert [browser().get(START).status_code for _ in range(4)] == [302, 302, 302, 429]
    assert browser().get(START, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_a_flood_without_a_name_does_not_shut_out_the_browsers_of_an_office(settings):
    settings.ADDRESS_RATE = (1, 10)
    colleague, newcomer = browser(), browser()
    statuses(colleague, START, 1)
    while browser().get("/oidc/callback/").status_code != 429:
        pass

    assert statuses(colleague, START, 3) == {302}
    assert [newcomer.get(START).status_code for _ in range(2)] == [429, 302]


def test_a_made_up_address_does_not_get_round_the_ceiling(settings):
    settings.ADDRESS_RATE = (60, 3)

    answers = [browser(**{"X-Forwarded-For": f"192.0.2.{n}"}).get(START).status_code for n in range(4)]

    assert answers == [302, 302, 302, 429]


@pytest.mark.parametrize("forged", ["x", "", "x:y:z", "\x00", "a" * 5000])
def test_a_browser_does_not_choose_its_own_name(settings, forged):
    settings.SIGN_IN_RATE = (30, 1)
    client = browser()
    client.cookies["__Host-browser"] = forged

    response = client.get(START)

    assert (response.status_code, response.cookies["__Host-browser"].value != forged) == (302, True)


def test_the_browsers_name_is_out_of_reach_for_scripts_and_other_sites():
    cookie = browser().get(START).cookies["__Host-browser"]

    assert (cookie["httponly"], cookie["secure"], cookie["samesite"], cookie["path"]) == (True, True, "Lax", "/")


def test_the_table_names_nobody():
    browser().get(START, REMOTE_ADDR="192.0.2.77")

    [row] = RateLimitUse.objects.all()
    assert "192" not in row.key
    assert row.key.startswith("sign-in-address:")


def test_ordinary_pages_count_nothing(client):
    client.force_login(make_member(make_organisation("Lumen")))
    client.get("/o/lumen/")
    client.get("/sign-in/")

    assert RateLimitUse.objects.count() == 0


class ConnectionStandIn:
    """The real one is inside the test's transaction."""

    in_atomic_block = False

    def close(self) -> None:
        pass


@pytest.fixture
def broken_store(monkeypatch):
    """A store that does not answer; how often it was asked."""
    asked: list[int] = []

    def fails(uses: list[Use]) -> float:
        asked.append(1)
        raise OperationalError("no answer within 0.5 seconds")

    monkeypatch.setattr(limits, "_count", fails)
    monkeypatch.setattr(limits, "connection", ConnectionStandIn())
    return asked


def test_without_the_store_people_get_in_and_it_is_asked_once_in_a_while(broken_store, caplog):
    limiter = SharedLimiter()

    waits = [limiter.seconds_to_wait([TRICKLE]) for _ in range(3)]

    assert (waits, len(broken_store)) == ([0, 0, 0], 1)
    assert "it does not answer in time" in caplog.text


def test_without_the_store_each_process_still_counts(broken_store):
    limiter = SharedLimiter()

    waits = [limiter.seconds_to_wait([TRICKLE]) for _ in range(4)]

    assert 55 < waits[3] <= 60


def test_the_store_is_used_again_when_it_is_back(broken_store, monkeypatch):
    limiter = SharedLimiter()
    limiter.seconds_to_wait([TRICKLE])
    monkeypatch.setattr(limits.time, "monotonic", lambda: limiter._away_until + 1)

    limiter.seconds_to_wait([TRICKLE])

    assert len(broken_store) == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_calls_at_the_same_moment_one_gets_the_last_place(monkeypatch):
    monkeypatch.setattr(limits, "PATIENCE", 5)
    for _ in range(2):
        SharedLimiter().seconds_to_wait([TRICKLE])
    taken = threading.Event()

    def take_the_last() -> None:
        with scope.login(), transaction.atomic():
            RateLimitUse.objects.update(full_at=F("full_at") + timedelta(seconds=60))
            taken.set()
            time.sleep(0.5)
        connection.close()

    other = threading.Thread(target=take_the_last)
    other.start()
    taken.wait(10)
    waited = SharedLimiter().seconds_to_wait([TRICKLE])
    other.join()

    assert waited > 0


@pytest.mark.django_db(transaction=True)
def test_a_locked_store_costs_half_a_second_and_the_request_goes_on(monkeypatch):
    monkeypatch.setattr(limits, "PATIENCE", 0.5)
    SharedLimiter().seconds_to_wait([TRICKLE])
    locked, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with scope.login(), connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE accounts_ratelimituse IN ACCESS EXCLUSIVE MODE")
            locked.set()
            go_on.wait(10)
            cursor.execute("ROLLBACK")
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait(10)
    began = time.monotonic()
    waited = SharedLimiter().seconds_to_wait([TRICKLE])
    took = time.monotonic() - began
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        still_works = cursor.fetchone()
    go_on.set()
    holder.join()

    assert (waited, still_works, took < 1.5) == (0, (1,), True)


def test_counts_that_say_nothing_any_more_are_forgotten():
    limiter = SharedLimiter()
    limiter.seconds_to_wait([TRICKLE])
    limiter.seconds_to_wait([Use("b", Rate(per_minute=60, burst=3))])
    seconds_pass(30)

    with scope.platform():
        deleted = cleaning.clean_up(at=timezone.now(), by=None, reason="")

    assert (deleted, [row.key for row in RateLimitUse.objects.all()]) == (
        {"counts of calls that no longer matter": 1},
        ["a"],
    )


def test_the_counts_are_kept_in_a_table_that_a_crash_may_empty():
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'accounts_ratelimituse'")

        assert cursor.fetchone() == ("u",)
