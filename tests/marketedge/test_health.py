"""Health: live from the process alone, ready from the database with a deadline, nothing constant."""

import threading
import time

import pytest
from django.test import Client

from marketedge import health


def prober_of(ask) -> health.Prober:
    return health.Prober(ask)


def test_live_needs_no_database(client: Client):
    assert client.get("/healthz/live").json() == {"status": "live"}


@pytest.mark.parametrize("path", ["/healthz/live", "/health"])
def test_health_answers_any_host_without_a_session_or_redirect(client, monkeypatch, path):
    monkeypatch.setattr(health, "prober", prober_of(lambda: health.Readiness({})))

    response = client.get(path, headers={"host": "10.1.2.3:8000"})

    assert (response.status_code, list(response.cookies)) == (200, [])


def test_head_works(client):
    assert client.head("/healthz/live").status_code == 200


def test_ready_names_what_is_wrong(client, monkeypatch):
    monkeypatch.setattr(health, "prober", prober_of(lambda: health.Readiness({"migrations": "2 not applied"})))

    response = client.get("/healthz/ready")

    assert (response.status_code, response.json()["problems"]) == (503, {"migrations": "2 not applied"})


@pytest.mark.parametrize(
    ("problems", "status", "is_ready"),
    [({}, "healthy", True), ({"database": "OperationalError"}, "degraded", False)],
)
def test_the_summary_is_computed(client, monkeypatch, problems, status, is_ready):
    monkeypatch.setattr(health, "prober", prober_of(lambda: health.Readiness(problems)))

    told = client.get("/health").json()

    assert (told["status"], told["database_ready"], told["modules"]) == (status, is_ready, ["market_edge_core"])


def test_a_mute_database_is_given_up_within_the_deadline(monkeypatch):
    monkeypatch.setattr(health, "DEADLINE", 0.2)
    release = threading.Event()
    started = time.monotonic()

    answer = prober_of(lambda: health.Readiness({"late": str(release.wait(5))})).readiness()

    release.set()
    assert (answer.problems, time.monotonic() - started < 2) == ({"database": "no answer within 0.2 seconds"}, True)


def test_many_probes_ask_once():
    asked = []
    gate = threading.Event()

    def ask() -> health.Readiness:
        asked.append(1)
        gate.wait(1)
        return health.Readiness({})

    prober = prober_of(ask)
    callers = [threading.Thread(target=prober.readiness) for _ in range(12)]
    for caller in callers:
        caller.start()
    gate.set()
    for caller in callers:
        caller.join()

    assert len(asked) == 1


def test_a_fault_of_our_own_while_asking_is_said_and_asked_again():
    faults: list[Exception] = [ZeroDivisionError()]

    def ask() -> health.Readiness:
        if faults:
            raise faults.pop()
        return health.Readiness({})

    prober = prober_of(ask)

    assert [prober.readiness().is_ready for _ in range(2)] == [False, True]


@pytest.mark.django_db(transaction=True)
def test_the_database_of_the_tests_is_ready():
    assert health.ask_database().problems == {}


@pytest.mark.django_db(transaction=True)
def test_unapplied_migrations_are_not_ready(monkeypatch):
    monkeypatch.setattr(health, "_unapplied", lambda connection: {("tenants", "0099")})

    assert health.ask_database().problems == {"migrations": "1 not applied"}
