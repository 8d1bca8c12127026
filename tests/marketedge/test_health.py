"""Health: live from the process alone, startup sticky, ready from the database, nothing constant."""

import json
import threading
import time

import pytest
from django.db import connection, connections
from django.test import Client

from marketedge import health, readiness
from marketedge.phases import FIRST_CONTACT, LOADING, Phases
from marketedge.readiness import Readiness
from modules.flags.watching import State
from tenants import scope
from tenants.postgresql import faults


class Told:
    """A prober that tells what it was given."""

    def __init__(self, problems: dict[str, str], warnings: dict[str, str]) -> None:
        self.told = Readiness(problems, warnings)

    def answer(self) -> Readiness:
        return self.told


@pytest.fixture
def tell(monkeypatch):
    """What the database is said to answer, and which phases of the start are over."""

    def told(
        problems: dict[str, str],
        over: tuple[str, ...] = (*LOADING, *FIRST_CONTACT),
        warnings: dict[str, str] | None = None,
    ) -> None:
        phases = Phases()
        for name in over:
            phases.note(name, 0.5, known=3)
        monkeypatch.setattr(health, "prober", Told(problems, warnings or {}))
        monkeypatch.setattr(health, "phases", phases)

    return told


PATHS = ["/healthz/live", "/healthz/startup", "/healthz/ready", "/health"]


def test_live_needs_no_database(client: Client):
    assert client.get("/healthz/live").json() == {"status": "live"}


@pytest.mark.parametrize("path", PATHS)
def test_health_answers_any_host_without_a_session_or_redirect(client, tell, path):
    tell({})

    response = client.get(path, headers={"host": "10.1.2.3:8000"})

    assert (response.status_code, list(response.cookies)) == (200, [])


@pytest.mark.parametrize("path", PATHS)
def test_head_works(client, tell, path):
    tell({})

    response = client.head(path)

    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_sent_to_health(client, path):
    response = client.post(path)

    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")


def test_ready_names_what_is_wrong(client, tell):
    tell({"migrations": "2 not applied"})

    response = client.get("/healthz/ready")

    assert (response.status_code, response.json()["problems"]) == (503, {"migrations": "2 not applied"})


def test_a_start_without_the_database_is_not_over_and_says_why(client, tell):
    tell({"database": "it does not answer in time"}, over=LOADING)

    response = client.get("/healthz/startup")

    told = response.json()
    assert (response.status_code, told["status"], told["missing"]) == (503, "starting", list(FIRST_CONTACT))
    assert told["problems"] == {"database": "it does not answer in time"}


def test_a_start_that_is_over_stays_so_whatever_happens_later(client, tell):
    tell({"database": "it does not answer in time"})

    response = client.get("/healthz/startup")

    assert (response.status_code, response.json()["status"]) == (200, "started")


def test_the_start_shows_each_phase_with_its_seconds(client, tell):
    tell({})

    told = client.get("/healthz/startup").json()["phases"]

    assert [(phase["name"], phase["seconds"]) for phase in told] == [(n, 0.5) for n in (*LOADING, *FIRST_CONTACT)]


def test_the_start_says_which_flags_it_has_and_whether_they_may_be_old(client, tell, flag_store):
    tell({})
    flag_store.says(State(7, 3, "file", True, None, "the database does not answer"))

    told = client.get("/healthz/startup").json()["flags"]

    assert (told["version"], told["source"], told["stale"]) == (7, "file", True)
    assert told["problem"] == "the database does not answer"


@pytest.mark.parametrize(
    ("problems", "over", "status", "is_ready", "error"),
    [
        ({}, (*LOADING, *FIRST_CONTACT), "healthy", True, None),
        ({}, LOADING, "starting", True, None),
        ({"database": "too many connections"}, LOADING, "degraded", False, "database: too many connections"),
    ],
)
def test_the_summary_is_computed(client, tell, problems, over, status, is_ready, error):
    tell(problems, over)

    told = client.get("/health").json()

    assert (told["status"], told["database_ready"], told["database_error"]) == (status, is_ready, error)


def test_the_summary_has_every_field_of_old_clients(client, tell, settings, flag_store):
    settings.FLAGS_FORCED = {"export_functionality": False}
    flag_store.says(State(7, 3, "database", False, 0.5, ""))
    tell({})

    told = client.get("/health").json()

    assert told.pop("timestamp").endswith("+00:00")
    assert told == {
        "status": "healthy",
        "mode": "production",
        "version": settings.RELEASE_VERSION,
        "commit": "0000000",
        "database_ready": True,
        "database_error": None,
        "warnings": {},
        "authentication_endpoints": {
            "auth0_url": "https://marketedge.example/api/v1/auth/auth0-url",
            "sign_in": "https://marketedge.example/sign-in/",
        },
        "cors_status": "configured",
        "allowed_origins": ["https://app.example"],
        "modules": ["market_edge_core"],
        "flags": {
            "loaded": True,
            "known": 3,
            "version": 7,
            "source": "database",
            "stale": False,
            "seconds_since_look": 0.5,
            "problem": None,
            "forced": ["export_functionality"],
        },
    }


def test_a_clock_that_is_wrong_is_said_and_keeps_no_request_away(client, tell):
    tell({}, warnings={"clock": "60 seconds behind the database's"})

    ready, summary = client.get("/healthz/ready"), client.get("/health").json()

    assert (ready.status_code, ready.json()["warnings"]) == (200, {"clock": "60 seconds behind the database's"})
    assert (summary["status"], summary["database_ready"]) == ("degraded", True)


def test_the_summary_follows_the_settings(client, tell, settings):
    settings.CORS_ALLOWED_ORIGINS, settings.DEMONSTRATION = [], True
    tell({}, over=LOADING)

    told = client.get("/health").json()

    assert (told["cors_status"], told["mode"]) == ("no origin allowed", "demonstration")
    assert told["flags"] == {
        "loaded": False,
        "known": None,
        "version": 0,
        "source": "nothing",
        "stale": True,
        "seconds_since_look": None,
        "problem": None,
        "forced": [],
    }


@pytest.fixture
def asked(transactional_db):
    """Asked as in production, in a thread of its own."""

    def ask() -> Readiness:
        told: list[Readiness] = []
        thread = threading.Thread(target=lambda: told.append(readiness.ask_database()))
        thread.start()
        thread.join()
        return told[0]

    return ask


@pytest.fixture
def database(asked):
    return lambda: asked().problems


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-60, "60 seconds behind the database's"), (60, "60 seconds ahead of the database's"), (2, "")],
)
def test_our_clock_is_held_against_the_databases(asked, monkeypatch, seconds, words):
    monkeypatch.setattr("time.time", lambda now=time.time: now() + seconds)

    told = asked()

    assert told.problems == {}
    assert told.warnings.get("clock", "").startswith(words)
    assert bool(told.warnings) == bool(words)


def test_the_database_of_the_tests_is_ready(database):
    assert database() == {}


def test_unapplied_migrations_are_not_ready(database, monkeypatch):
    unknown = readiness.known_migrations() | {("tenants", "0098_x"), ("tenants", "0099_y")}
    monkeypatch.setattr(readiness, "known_migrations", lambda: unknown)

    assert database() == {"migrations": "2 not applied: tenants.0098_x and 1 more"}


def test_migrations_of_a_newer_release_do_not_disturb_the_old_one(database, monkeypatch):
    fewer = frozenset(sorted(readiness.known_migrations())[:-1])
    monkeypatch.setattr(readiness, "known_migrations", lambda: fewer)

    assert database() == {}


def test_a_database_that_refuses_changes_is_not_ready(database):
    name = connection.settings_dict["NAME"]
    with scope.login(), connection.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        problems = database()
        cursor.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')

    assert problems == {"database": faults.READ_ONLY}


def test_a_privileged_login_is_not_ready(database, monkeypatch):
    with monkeypatch.context() as changed:
        changed.setitem(connections.settings["default"], "LOGIN", "web")

        assert "voids row security: it owns tables" in database()["login"]


def test_what_is_wrong_with_the_database_names_no_host_and_no_login(database, monkeypatch):
    with monkeypatch.context() as changed:
        changed.setitem(connections.settings["default"], "PASSWORD", "wrong")

        assert database() == {"database": "the login or its password is refused"}


def test_answers_are_json_that_no_browser_guesses_at(client):
    response = client.get("/healthz/live")

    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert json.loads(response.content) == {"status": "live"}
