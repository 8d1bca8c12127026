"""`doctor`: questions side by side, one line for each subject, and words for what is wrong on this host."""

import shutil
import time
from collections import namedtuple
from http.client import HTTPMessage

import pytest
from django.db import connection

from accounts.fetching import Answer
from marketedge.doctor import database, host
from marketedge.doctor.asking import ask_all
from marketedge.management.commands import doctor
from tenants import scope
from tenants.operations import Report
from tenants.postgresql import plain
from tests.marketedge.serving import MuteServer, free_port

Usage = namedtuple("Usage", "total used free")


def well(subject: str):
    def ask(within: float) -> Report:
        report = Report()
        report.ok(subject, "well")
        return report

    return ask


def told(report: Report) -> list[tuple[str, str, str]]:
    return [(str(finding.state), finding.subject, finding.says) for finding in report.findings]


def test_one_question_that_hangs_does_not_cost_the_others_theirs():
    def hang(within: float) -> Report:
        time.sleep(5)
        return Report()

    began = time.monotonic()
    report = ask_all({"first": hang, "second": well("second")}, within=0.3)

    assert told(report) == [("problem", "first", "no answer within 0.3 seconds"), ("ok", "second", "well")]
    assert time.monotonic() - began < 2


def test_questions_are_asked_at_the_same_time():
    def slowly(within: float) -> Report:
        time.sleep(0.3)
        return well("x")(within)

    began = time.monotonic()
    ask_all({str(number): slowly for number in range(5)}, within=5)

    assert time.monotonic() - began < 1


def test_a_question_that_fails_by_itself_is_said(caplog):
    def fail(within: float) -> Report:
        raise ZeroDivisionError

    assert told(ask_all({"first": fail}, within=1)) == [
        ("problem", "first", "could not be asked: ZeroDivisionError"),
    ]


def test_what_could_not_be_asked_is_a_problem():
    def unknown(within: float) -> Report:
        report = Report()
        report.unknown("it", "is away")
        return report

    assert told(ask_all({"it": unknown}, within=1)) == [("problem", "it", "is away")]


def test_starting_counts_towards_the_time(monkeypatch):
    given: list[float] = []

    def ask(questions: object, within: float) -> Report:
        given.append(within)
        return Report()

    monkeypatch.setattr(doctor, "ask_all", ask)
    monkeypatch.setattr(doctor, "seconds_since_start", lambda: 3.0)
    command = doctor.Command()
    command.is_whole_process = True

    command.look(timeout=10)

    assert given == [5.0]


@pytest.mark.parametrize(("free", "state"), [(10_000_000, "problem"), (10_000_000_000, "ok")])
def test_a_disk_that_is_nearly_full_is_said(monkeypatch, free, state):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100_000_000_000, 0, free))

    assert [finding.state for finding in host.ask_disk(1).findings] == [state]


@pytest.fixture
def listening(monkeypatch):
    """What the web process of this host would say, at its two addresses."""

    def listen(startup: dict, summary: dict) -> Report:
        answers = {"/healthz/startup": startup, "/health": summary}
        monkeypatch.setattr(host, "_told", lambda url, within: answers[f"/{url.split('/', 3)[3]}"])
        return host.ask_web_process(1)

    return listen


@pytest.mark.parametrize(
    "body", ["<html>", "[1]", "[" * 50_000, '{"state": "fine"}', '{"status": 1, "problems": "none"}']
)
def test_another_service_at_the_port_is_not_taken_for_ours(monkeypatch, body):
    answer = Answer(200, HTTPMessage(), body.encode(), seconds=0.1, asked_at=0.0)
    monkeypatch.setattr(host, "fetch", lambda url, within: answer)

    [(state, _, says)] = told(host.ask_web_process(1))

    assert (state, says.endswith("is not MarketEdge")) == ("note", True)


HEALTHY = {"status": "healthy", "database_error": None, "commit": "0000000"}


def test_a_process_that_runs_well_is_said(listening):
    assert told(listening({"status": "started"}, HEALTHY))[0][0] == "ok"


@pytest.mark.parametrize(
    ("startup", "summary", "words"),
    [
        (
            {"status": "starting", "missing": ["database"], "problems": {"database": "it is away"}},
            HEALTHY,
            "is starting; database: it is away",
        ),
        ({"status": "starting", "missing": ["flags"], "problems": {}}, HEALTHY, "is starting: flags is still to come"),
        ({"status": "started"}, {**HEALTHY, "database_error": "login: mighty"}, "says login: mighty"),
        ({"status": "started"}, {**HEALTHY, "commit": "1111111"}, "runs commit 1111111, this is 0000000"),
    ],
)
def test_what_a_process_says_of_itself_is_repeated(listening, startup, summary, words):
    [(state, subject, says)] = told(listening(startup, summary))

    assert (state, subject, says.endswith(words)) == ("problem", "web process", True)


@pytest.fixture
def port(monkeypatch):
    number = free_port()
    monkeypatch.setitem(host.env.variables, "PORT", str(number))
    return number


def test_where_no_process_runs_none_is_missed(port):
    assert told(host.ask_web_process(1)) == [("note", "web process", f"none listens at 127.0.0.1:{port}")]


def test_a_process_at_a_socket_that_has_no_port_is_left_alone(monkeypatch):
    monkeypatch.setitem(host.env.variables, "BIND", "unix:/run/marketedge.sock")

    [(state, _, says)] = told(host.ask_web_process(1))

    assert (state, says) == ("note", "listens at unix:/run/marketedge.sock, where it cannot be asked")


def test_a_process_that_hangs_is_said(monkeypatch):
    mute = MuteServer()
    monkeypatch.setitem(host.env.variables, "PORT", str(mute.port))

    [(state, _, says)] = told(host.ask_web_process(0.6))

    assert (state, "no whole answer" in says) == ("problem", True)
    mute.close()


@pytest.mark.parametrize(
    ("bind", "address"),
    [
        ("0.0.0.0:80", "127.0.0.1:80"),
        ("[::]:81", "[::1]:81"),
        ("127.0.0.1:82", "127.0.0.1:82"),
        ("tcp://:83", "127.0.0.1:83"),
    ],
)
def test_a_process_on_every_address_is_asked_by_loopback(monkeypatch, bind, address):
    monkeypatch.setitem(host.env.variables, "BIND", bind)

    assert host._address() == address


@pytest.fixture
def examined(db, monkeypatch):
    """The database's report, asked on the tests' own connection, with what was broken in its transaction."""

    class Same:
        """Lends the tests' connection and keeps it open."""

        def __enter__(self):
            connection.ensure_connection()
            return connection.connection

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(database, "plain_connection", Same)

    def examine(statement: str = "SELECT 1") -> list[tuple[str, str, str]]:
        with scope.login(), connection.cursor() as cursor:
            cursor.execute(statement)
            report = database.ask(5)
        vars(connection)["_applied"] = None
        return [one for one in told(report) if one[1] != "database login"]

    return examine


def test_a_database_that_is_well_is_said(examined):
    states = [(state, subject) for state, subject, _ in examined()]

    assert states == [("ok", "database"), ("ok", "clock"), ("ok", "migrations")]


@pytest.mark.parametrize(
    ("statement", "subject", "words"),
    [
        (
            "DELETE FROM django_migrations WHERE app = 'flags'",
            "migrations",
            "6 not applied: flags.0001_initial and 5 more",
        ),
        ("ALTER TABLE django_migrations RENAME TO elsewhere", "migrations", "none has been applied"),
        (
            "REVOKE ALL ON django_migrations FROM marketedge_app",
            "roles",
            "the login may not work as marketedge_app, or that role may not read",
        ),
        ("ALTER ROLE marketedge_person RENAME TO other", "roles", "marketedge_person missing"),
        ("ALTER TABLE accounts_session RENAME TO elsewhere", "tables", "accounts_session missing"),
    ],
)
def test_what_is_wrong_inside_the_database_is_said(examined, statement, subject, words):
    assert ("problem", subject, words) in examined(statement)


def test_a_login_that_may_not_take_a_role_is_said(examined, monkeypatch):
    monkeypatch.setattr(database.roles, "ALL", (*database.roles.ALL, "pg_monitor"))

    assert ("problem", "roles", "the login may not work as pg_monitor") in examined()


def test_clocks_that_disagree_are_said(examined, monkeypatch):
    monkeypatch.setattr(database.readiness, "SKEW_ALLOWED", -1)

    assert [state for state, subject, _ in examined() if subject == "clock"] == ["problem"]


def test_a_database_that_is_crowded_is_said(examined, monkeypatch):
    monkeypatch.setattr(database, "CROWDED", 0.001)

    assert [subject for state, subject, _ in examined() if state == "problem"] == ["connections"]


def test_a_database_that_takes_long_is_said_with_its_time(examined, monkeypatch):
    monkeypatch.setattr(database, "SLOW_AFTER", 0.0)

    assert [says for state, _, says in examined() if state == "problem"] == ["is slow: 0.0 s for one question"]


@pytest.mark.django_db
def test_an_owner_as_the_webs_login_is_said():
    report = database.ask(5)

    wrong = [says for state, subject, says in told(report) if subject == "database login"]
    assert wrong[0].startswith("DATABASE_URL names a login that voids row security: it owns tables")


@pytest.mark.django_db
def test_a_plain_connection_takes_no_role():
    with plain.plain_connection() as opened:
        row = opened.execute("SELECT current_user = session_user").fetchone()

    assert row == (True,)
