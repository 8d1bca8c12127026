"""The database's host is looked up within our time, and each of its addresses is tried."""

import socket
import threading
import time

import psycopg
import pytest
from django.db import connection

from tenants.postgresql import deadline, faults, names
from tenants.postgresql.connection import BoundedConnection


@pytest.fixture
def host(request):
    """A name of its own for each test, since answers are kept."""
    return f"{request.node.name.replace('_', '-')}.example"


@pytest.fixture
def look_up(monkeypatch):
    """What the system's look-up answers."""

    def answers(function):
        monkeypatch.setattr(socket, "getaddrinfo", function)

    return answers


def found(*addresses: str):
    return lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]


def test_a_hosts_addresses_are_found_once_each(look_up, host):
    look_up(found("192.0.2.1", "192.0.2.2", "192.0.2.1"))

    assert names.addresses_of(host, within=2) == ["192.0.2.1", "192.0.2.2"]


@pytest.mark.parametrize("host", ["", "/var/run/postgresql", "one.example,other.example"])
def test_what_the_driver_finds_itself_is_left_to_it(host):
    assert names.addresses_of(host, within=2) == []


def test_name_servers_that_do_not_answer_are_given_up(look_up, host):
    release = threading.Event()
    look_up(lambda *_, **__: release.wait(10))
    began = time.monotonic()

    with pytest.raises(names.NameNotResolved) as raised:
        names.addresses_of(host, within=0.2)

    release.set()
    assert time.monotonic() - began < 2
    assert faults.describe(raised.value) == "its host name is not looked up in time: the name servers do not answer"


def test_the_deadline_of_the_running_code_holds_for_the_look_up(look_up, host):
    release = threading.Event()
    look_up(lambda *_, **__: release.wait(10))
    began = time.monotonic()

    with deadline.within(0.2), pytest.raises(names.NameNotResolved):
        names.addresses_of(host, within=60)

    release.set()
    assert time.monotonic() - began < 2


def test_an_unknown_host_is_said_to_be_unknown(look_up, host):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    look_up(unknown)

    with pytest.raises(names.NameNotResolved) as raised:
        names.addresses_of(host, within=2)

    assert faults.describe(raised.value) == "its host name is unknown"


@pytest.mark.django_db
def test_the_next_address_is_tried_when_the_first_refuses(look_up, host):
    look_up(found("127.0.0.9", "127.0.0.1"))
    parameters = {**connection.get_connection_params(), "host": host}

    with BoundedConnection.connect(**{**parameters, "cursor_factory": psycopg.Cursor}) as second:
        assert second.execute("SELECT 1").fetchone() == (1,)


def test_no_further_address_is_tried_when_the_time_is_over(look_up, host, monkeypatch):
    tried = []

    def refuse(conninfo, **given):
        tried.append(given["hostaddr"])
        time.sleep(0.1)
        raise psycopg.OperationalError("refused")

    look_up(found("192.0.2.1", "192.0.2.2", "192.0.2.3"))
    monkeypatch.setattr(psycopg.Connection, "connect", refuse)

    with deadline.within(0.05), pytest.raises(deadline.DeadlinePassed):
        BoundedConnection.connect(host=host)

    assert tried == ["192.0.2.1"]
