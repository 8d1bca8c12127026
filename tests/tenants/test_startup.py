"""The database is not touched while the product loads, however somebody tries."""

import contextlib
import threading
from collections.abc import Callable

import psycopg
import pytest
from django.db import connection

from tenants.postgresql import base, startup


@pytest.fixture
def wrapper(db: None) -> base.DatabaseWrapper:
    return base.DatabaseWrapper({**connection.settings_dict, "PORT": 1})


def test_a_connection_while_loading_is_refused(wrapper):
    with pytest.raises(startup.DatabaseTouchedAtStartup), startup.no_database():
        wrapper.ensure_connection()


def test_a_refusal_that_was_swallowed_is_told_at_the_end(wrapper):
    told = pytest.raises(startup.DatabaseTouchedAtStartup, match=r"at tests/tenants/test_startup.py:\d+")

    with told, startup.no_database(), contextlib.suppress(Exception):
        wrapper.ensure_connection()


def test_a_connection_past_django_is_refused():
    with pytest.raises(startup.DatabaseTouchedAtStartup), startup.no_database():
        psycopg.connect("host=127.0.0.1 port=1")


def test_a_thread_that_asks_the_database_is_told(wrapper):
    def ask() -> None:
        with contextlib.suppress(Exception):
            wrapper.ensure_connection()

    with pytest.raises(startup.DatabaseTouchedAtStartup), startup.no_database():
        in_a_thread(ask)


def in_a_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_thread_that_is_left_running_is_refused():
    release = threading.Event()

    with pytest.raises(startup.ThreadAtStartup, match="poller"), startup.no_database():
        threading.Thread(target=release.wait, name="poller", daemon=True).start()

    release.set()


def test_afterwards_connections_are_tried(wrapper):
    with startup.no_database():
        pass

    with pytest.raises(base.OperationalError, match="connection"):
        wrapper.ensure_connection()


def test_afterwards_connections_past_django_are_tried():
    with startup.no_database():
        pass

    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect("host=127.0.0.1 port=1")
