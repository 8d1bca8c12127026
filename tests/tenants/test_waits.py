"""What the database costs and what fails is told to the running request, and to whoever listens."""

from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction

from tenants.postgresql import base, faults, waits
from tenants.postgresql.waits import Spent


class Listener:
    def __init__(self) -> None:
        self.heard: list[Any] = []

    def statement(self, seconds: float) -> None:
        self.heard.append("statement")

    def connected(self, seconds: float) -> None:
        self.heard.append("connected")

    def fault(self, kind: str) -> None:
        self.heard.append(kind)


@pytest.fixture
def listener(monkeypatch):
    listening = Listener()
    monkeypatch.setattr(waits, "listener", listening)
    return listening


@pytest.fixture
def wrapper(transactional_db):
    wrapper = base.DatabaseWrapper({**connection.settings_dict})
    yield wrapper
    wrapper.close()


def test_a_statement_is_counted_with_its_seconds_for_the_running_request(wrapper):
    wrapper.ensure_connection()
    token = waits.spent.set(spent := Spent())

    with wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.05)")

    waits.spent.reset(token)
    assert (spent.statements, 0.05 <= spent.seconds < 5) == (1, True)


def test_opening_a_connection_is_time_for_the_database_and_no_statement(wrapper):
    token = waits.spent.set(spent := Spent())

    wrapper.ensure_connection()

    waits.spent.reset(token)
    assert (spent.statements, spent.seconds > 0) == (0, True)


def test_who_listens_hears_of_connections_statements_and_commits(wrapper, listener):
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.executemany("SELECT %s", [[1], [2]])
    wrapper.set_autocommit(False)
    wrapper.commit()

    assert listener.heard == ["connected", "statement", "statement", "statement"]


def test_what_fails_is_told_by_its_kind(wrapper, listener):
    wrapper.ensure_connection()
    with wrapper.cursor() as cursor, pytest.raises(DatabaseError):
        cursor.execute("SET statement_timeout = 10; SELECT pg_sleep(5)")

    assert listener.heard[-1] == "statement_timeout"


def test_a_commit_that_fails_is_told(db, listener, monkeypatch):
    class Broken:
        def commit(self) -> None:
            raise OperationalError("server closed the connection unexpectedly")

    wrapper = base.DatabaseWrapper({**connection.settings_dict})
    wrapper.connection = Broken()

    with pytest.raises(OperationalError):
        wrapper._commit()

    assert listener.heard == ["statement", "connection_ended"]


def test_a_connection_that_cannot_be_opened_is_told(db, listener):
    wrapper = base.DatabaseWrapper({**connection.settings_dict, "HOST": "127.0.0.1", "PORT": 1})

    with pytest.raises(OperationalError):
        wrapper.ensure_connection()

    assert listener.heard == ["refused"]


def test_with_nobody_listening_nothing_is_kept(db):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")

    assert waits.spent.get() is None


def test_everything_that_can_be_described_has_a_kind_in_one_word():
    words = {*faults._CODES.values(), *(said for _, said in faults._WORDS)}

    assert words == set(faults._KINDS)
    assert all(kind.replace("_", "").isalpha() and kind.islower() for kind in faults._KINDS.values())


def test_an_unknown_fault_is_told_by_its_type():
    assert faults.kind(ZeroDivisionError("x")) == "ZeroDivisionError"
