"""Every wait for the database ends on our side, whatever the server does."""

import time

import psycopg
import pytest
from django.db import OperationalError, connection

from tenants.postgresql import base, deadline
from tests.faults.proxy import Line


def test_without_a_deadline_the_connections_own_limit_holds():
    assert deadline.remaining(20) == 20


def test_the_shorter_of_the_two_holds():
    with deadline.within(5):
        assert deadline.remaining(20) <= 5  # type: ignore[operator]
        assert deadline.remaining(1) == 1


def test_an_inner_deadline_does_not_stretch_an_outer_one():
    with deadline.within(1), deadline.within(60):
        assert deadline.remaining() <= 1  # type: ignore[operator]


def test_a_deadline_that_has_passed_leaves_nothing():
    with deadline.within(0.01):
        time.sleep(0.02)
        assert deadline.remaining(20) == 0


@pytest.fixture
def wrapper(transactional_db: None) -> base.DatabaseWrapper:
    return base.DatabaseWrapper({**connection.settings_dict, "CLIENT_DEADLINE": 0.3})


@pytest.fixture
def asking(wrapper):
    with wrapper.cursor() as cursor:
        yield cursor
    wrapper.close()


def test_a_statement_that_takes_too_long_ends_at_the_connections_limit(asking):
    began = time.monotonic()

    with pytest.raises(OperationalError, match=r"no answer within 0\.3 seconds"):
        asking.execute("SELECT pg_sleep(5)")

    assert time.monotonic() - began < 2


def test_all_statements_together_end_at_the_deadline(wrapper):
    wrapper.settings_dict["CLIENT_DEADLINE"] = 60
    wrapper.ensure_connection()

    with deadline.within(0.5), pytest.raises(OperationalError, match="no answer within"):
        _ask_many_times(wrapper)


def _ask_many_times(wrapper: base.DatabaseWrapper) -> None:
    with wrapper.cursor() as cursor:
        for _ in range(20):
            cursor.execute("SELECT pg_sleep(0.1)")


def test_a_connection_that_was_given_up_is_replaced_by_the_next_question(wrapper):
    with pytest.raises(OperationalError), wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")
    wrapper.close_if_unusable_or_obsolete()

    with wrapper.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    wrapper.close()


def test_a_callers_own_shorter_limit_stays_the_callers(asking):
    bounded = asking.connection

    with pytest.raises(psycopg.errors._WaitTimeout):
        bounded.wait(bounded.pgconn and _never(), timeout=0.01)


def _never():
    while True:
        yield psycopg.waiting.Wait.R


def test_an_idle_connection_whose_other_end_went_mute_is_found_out_quickly(wrapper, monkeypatch):
    line = Line(int(wrapper.settings_dict["PORT"]))
    options = {**wrapper.settings_dict["OPTIONS"], "connect_timeout": 1}
    wrapper.settings_dict.update(CLIENT_DEADLINE=60, PORT=line.port, OPTIONS=options)
    wrapper.ensure_connection()
    line.mute()
    began = time.monotonic()

    is_usable = wrapper.is_usable()

    assert (is_usable, time.monotonic() - began < 3) == (False, True)
    line.close()
