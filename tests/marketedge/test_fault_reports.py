"""Faults reach Sentry under their incident id, without secrets or persons, and never at a request's cost."""

import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from marketedge import fault_reports, visits
from marketedge.fault_reports import MOST_KEPT, PAUSE, Throttle, before_send, place_of
from marketedge.visits import Visit
from tests.environment import ROOT
from tests.factories import make_organisation, make_user
from tests.marketedge.breaking_urls import SECRET
from tests.marketedge.serving import ask, environment, free_port, running_gunicorn, wait_for
from tests.marketedge.sink import Sink, sink


def test_the_same_fault_is_let_through_once_in_a_while():
    throttle = Throttle()

    assert [throttle.lets_through("a", at=at) for at in (0, 1, PAUSE - 1, PAUSE, PAUSE + 1)] == [
        True,
        False,
        False,
        True,
        False,
    ]
    assert throttle.lets_through("b", at=1)


def test_what_is_remembered_of_faults_does_not_grow_for_ever():
    throttle = Throttle()

    for number in range(MOST_KEPT * 2 + 1):
        throttle.lets_through(number, at=0)

    assert len(throttle._let_through) <= MOST_KEPT


def raised(fault: Exception) -> Exception:
    try:
        raise fault
    except Exception as caught:
        return caught


def test_faults_are_the_same_when_the_same_line_raised_the_same_kind():
    assert place_of(raised(ValueError("1"))) == place_of(raised(ValueError("2")))
    assert place_of(raised(ValueError("1"))) != place_of(raised(KeyError("1")))
    assert place_of(ValueError("never raised")) == (ValueError,)


def test_a_report_loses_secrets_addresses_and_the_rows_that_the_database_quotes():
    said = "duplicate key\nDETAIL:  Key (name)=(Ann Smith) already exists."
    event = {
        "message": "code=abc for ann@lumen.example",
        "exception": {"values": [{"type": "X", "value": said}, {"type": "Y", "value": None}]},
        "extra": {"cookie": "a=b"},
    }

    assert before_send(event, {}) == {
        "message": "code=[hidden] for [address]",
        "exception": {"values": [{"type": "X", "value": "duplicate key"}, {"type": "Y", "value": ""}]},
        "extra": {"cookie": "[hidden]"},
    }


def test_without_the_variable_the_library_is_not_even_imported():
    code = "import sys; from marketedge import fault_reports as r, wsgi; r.end(); print('sentry_sdk' in sys.modules)"

    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, check=True)

    assert told.stdout == b"False\n"


def test_a_reporter_that_fails_does_not_fail_the_request(monkeypatch, capsys):
    def fail(*arguments: Any) -> None:
        raise RuntimeError("the reporter is broken")

    monkeypatch.setattr(fault_reports, "report", fail)
    logger = logging.Logger("tests")
    logger.addHandler(fault_reports.Reporter())

    try:
        raise ValueError("x")
    except ValueError:
        logger.exception("Failed")

    assert "the reporter is broken" in capsys.readouterr().err


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the library is handed."""
    import sentry_sdk
    from sentry_sdk.consts import DEFAULT_OPTIONS

    events: list[Any] = []
    monkeypatch.setattr(sentry_sdk, "get_client", lambda: SimpleNamespace(options=DEFAULT_OPTIONS))
    monkeypatch.setattr(sentry_sdk, "capture_event", lambda event, hint: events.append(event))
    return events


def log_a_fault(name: str) -> None:
    logger = logging.Logger(name)
    logger.addHandler(fault_reports.Reporter())
    try:
        raise ValueError("x")
    except ValueError:
        logger.exception("Failed")
    logger.error("Failed without an exception")


def test_a_report_names_request_route_and_organisation_and_no_person(db, rf, reported):
    request = rf.get("/signed-out/")
    request.organisation, request.user = make_organisation("Lumen"), make_user()
    token = visits.current.set(visit := Visit(request))

    log_a_fault("tests")

    visits.current.reset(token)
    assert [event["tags"] for event in reported] == [
        {"request_id": visit.incident, "organisation": "lumen", "route": "signed_out"}
    ]


def test_what_only_callers_did_wrong_is_not_reported(reported):
    log_a_fault("django.security.DisallowedHost")

    assert reported == []


def product(dsn: str, **changes: str) -> dict[str, str]:
    settings = "tests.marketedge.breaking_settings"
    return environment(DJANGO_SETTINGS_MODULE=settings, SENTRY_DSN=dsn, WEB_CONCURRENCY="1", **changes)


@pytest.fixture
def taking() -> Iterator[Sink]:
    with sink() as taking:
        yield taking


@pytest.mark.served
def test_a_fault_arrives_with_its_incident_id_and_without_secrets(taking, tmp_path):
    with running_gunicorn(product(taking.dsn), tmp_path / "log") as (address, _):
        wait_for(f"{address}/healthz/live", seconds=20)
        _, _, headers = ask(f"{address}/breaks/?code=abc123", Cookie="theme=abcdefghijklmnop")
        ask(f"{address}/breaks/")
        ask(f"{address}/nothing/")
        assert taking.came.wait(10)

    (event,) = taking.events
    assert event["tags"] == {"request_id": headers["X-Request-ID"], "route": "breaks"}
    assert (event["release"], event["transaction"]) == ("marketedge@0.1.0+0000000", "breaks")
    (fault,) = event["exception"]["values"]
    assert fault["type"] == "ZeroDivisionError"
    assert fault["stacktrace"]["frames"][-1]["function"] == "breaks"
    body = json.dumps(taking.bodies)
    assert [word for word in (SECRET, "abc123", "abcdefghijklmnop", "ann@", '"vars"', '"user"') if word in body] == []


@pytest.mark.served
@pytest.mark.parametrize("kind", ["hangs", "refuses"])
def test_a_sentry_that_hangs_or_refuses_costs_no_request_and_no_start(tmp_path, kind):
    with sink(hangs=True) as taking:
        dsn = taking.dsn if kind == "hangs" else f"http://publickey@127.0.0.1:{free_port()}/42"
        began = time.monotonic()
        with running_gunicorn(product(dsn), tmp_path / "log") as (address, process):
            wait_for(f"{address}/healthz/live", seconds=20)
            seconds = [seconds_of(f"{address}{path}") for path in ("/breaks/", "/away/", "/works/", "/breaks/")]
            process.terminate()
            process.wait(timeout=40)
            stopped = time.monotonic() - began

    assert max(seconds) < 2
    assert stopped < 40
    assert (kind == "refuses") or taking.came.is_set()


def seconds_of(address: str) -> float:
    began = time.monotonic()
    ask(address)
    return time.monotonic() - began
