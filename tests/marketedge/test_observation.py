"""Each request has an id of its own and one line in the log; what breaks shows the id, and the log has the rest."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client, RequestFactory

from marketedge import visits
from marketedge.admission import REFUSED
from marketedge.observation import LastResort
from tenants import request_id
from tenants.postgresql import waits
from tests.factories import make_member, make_organisation, offer_market_edge_core
from tests.marketedge.breaking_urls import LEAK, SECRET
from tests.marketedge.logged import Written, json_log, text_log


@pytest.fixture
def log() -> Iterator[Written]:
    with json_log() as written:
        yield written


@pytest.fixture
def broken(settings: Any) -> Client:
    """A browser at a product with addresses that break."""
    settings.ROOT_URLCONF = "tests.marketedge.breaking_urls"
    return Client(raise_request_exception=False, headers={"X-Forwarded-Proto": "https"})


def request_lines(log: Written) -> list[dict[str, Any]]:
    return log.of("marketedge.request")


def test_each_request_has_one_line(client, db, log):
    offer_market_edge_core()
    person = make_member(make_organisation("Lumen"))
    client.force_login(person)

    response = client.get("/o/lumen/?code=abc123")

    (line,) = request_lines(log)
    assert (line["method"], line["route"], line["status"], line["level"]) == ("GET", "dashboard", 200, "info")
    assert (line["organisation"], line["person"]) == ("lumen", str(person.public_id))
    assert line["request_id"] == response.headers["X-Request-ID"]
    assert line["milliseconds"] >= line["database_milliseconds"] > 0
    assert (line["statements"] > 3, line["flags"]) == (True, 1)
    assert "abc123" not in log.text


def test_the_line_names_the_route_and_never_the_address(client, db, log):
    client.get("/claim/a-one-time-secret/")

    assert [line["route"] for line in request_lines(log)] == ["claim"]
    assert "a-one-time-secret" not in log.text


@pytest.mark.parametrize(
    ("path", "route"),
    [("/nothing/here", "unmatched"), ("/static/marketedge/favicon.svg", "static"), ("/static/nothing", "static")],
)
def test_what_no_view_answers_has_a_name_too(client, log, path, route):
    list(client.get(path))

    assert [line["route"] for line in request_lines(log)] == [route]


def test_a_method_that_nobody_knows_is_not_written_out(client, log):
    client.generic("SECRET", "/sign-in/")

    assert [line["method"] for line in request_lines(log)] == ["other"]


def test_who_is_refused_is_logged_under_the_route_that_was_wanted(client, log):
    client.get("/sign-in/", **{REFUSED: True})

    assert [(line["route"], line["status"]) for line in request_lines(log)] == [("sign_in", 503)]


@pytest.mark.parametrize("path", ["/healthz/live", "/metrics"])
def test_probes_that_succeed_are_not_logged(client, log, settings, monkeypatch, path):
    settings.METRICS_TOKEN = "0123456789-0123456789"
    monkeypatch.setattr("marketedge.metrics.prober", NotReady())

    response = client.get(path, headers={"Authorization": "Bearer 0123456789-0123456789"})

    assert (response.status_code, log.text) == (200, "")


def test_probes_that_fail_are_logged(client, log, monkeypatch):
    monkeypatch.setattr("marketedge.health.prober", NotReady())

    client.get("/healthz/ready")

    assert [(line["route"], line["status"]) for line in request_lines(log)] == [("/healthz/ready", 503)]


class NotReady:
    def answer(self) -> Any:
        from marketedge.readiness import Readiness

        return Readiness({"database": "refused"})


def test_the_lines_of_requests_can_be_turned_off(broken, log, settings):
    settings.REQUEST_LOG = False

    broken.get("/works/")
    assert log.text == ""
    response = broken.get("/breaks/")

    assert response.headers["X-Request-ID"] in {line["request_id"] for line in request_lines(log)}


def test_a_line_for_people_says_it_in_words(client, db):
    with text_log() as log:
        client.get("/claim/x/")

    assert "INFO    marketedge.request: GET claim 404 in " in log.text
    assert " ms of them for 1 statement  [" in log.text


FAULTS = [
    ("/breaks/", 500, "page"),
    ("/away/", 503, "page"),
    ("/api/v1/breaks", 500, "json"),
]


@pytest.mark.parametrize(("path", "status", "kind"), FAULTS)
def test_an_error_shows_the_incident_id_that_finds_its_line_and_nothing_of_what_happened(
    broken, log, path, status, kind
):
    response = broken.get(path)

    incident, page = response.headers["X-Request-ID"], response.content.decode()
    assert (response.status_code, incident in page) == (status, True)
    inside = (SECRET, "postgres", "ZeroDivision", "OperationalError", "db.example")
    assert [word for word in inside if word in page] == []
    if kind == "json":
        assert response.json() == {
            "detail": "Something went wrong on our side.",
            "code": "fault",
            "incident": incident,
        }
    (line,) = [line for line in log.lines if "exception" in line]
    assert (line["request_id"], "cannot reach" in line["exception"]) == (incident, True)
    assert (SECRET in log.text, "ann@" in log.text) == (False, False)


@pytest.mark.parametrize(
    ("path", "content_type"), [("/breaks/", "text/plain; charset=utf-8"), ("/api/v1/breaks", "application/json")]
)
def test_when_the_page_for_a_fault_fails_too_the_incident_id_is_still_shown(settings, log, path, content_type):
    settings.ROOT_URLCONF = "tests.marketedge.doubly_breaking_urls"
    client = Client(raise_request_exception=False, headers={"X-Forwarded-Proto": "https"})

    response = client.get(path)

    incident, page = response.headers["X-Request-ID"], response.content.decode()
    assert (response.status_code, response.headers["Content-Type"], incident in page) == (500, content_type, True)
    assert SECRET not in page
    assert incident in {line["request_id"] for line in log.lines if "KeyError" in line.get("exception", "")}


def test_a_fault_in_middleware_shows_its_incident_id(broken, log, monkeypatch):
    def fail(*arguments: Any) -> None:
        raise ZeroDivisionError(LEAK)

    monkeypatch.setattr("tenants.middleware.slug_in", fail)

    response = broken.get("/works/")

    incident = response.headers["X-Request-ID"]
    assert (response.status_code, incident in response.content.decode()) == (500, True)
    assert incident in {line["request_id"] for line in log.lines if "exception" in line}


def test_an_error_of_the_admin_site_shows_its_incident_id(broken, db, log, monkeypatch):
    from tests.factories import make_superuser

    broken.force_login(make_superuser())
    monkeypatch.setattr("django.contrib.admin.sites.AdminSite.get_app_list", lambda *_: 1 / 0)

    response = broken.get("/admin/")

    incident = response.headers["X-Request-ID"]
    assert (response.status_code, incident in response.content.decode()) == (500, True)
    assert incident in {line["request_id"] for line in log.lines if "exception" in line}


def test_a_provider_that_is_down_is_an_answer_with_an_incident_id(client, db, log):
    from accounts import refused_page
    from accounts.refusals import PROVIDER_DOWN

    token = request_id.current.set("the-incident")
    client.cookies = refused_page.lead_to(PROVIDER_DOWN).cookies
    request_id.current.reset(token)

    response = client.get("/sign-in/refused/")

    assert (response.status_code, "the-incident" in response.content.decode()) == (503, True)


def test_an_answer_that_breaks_while_it_is_sent_is_logged_under_its_incident_id(broken, db, log):
    response = broken.get("/streams/")

    with pytest.raises(ZeroDivisionError):
        b"".join(response)
    response.close()

    incident = response.headers["X-Request-ID"]
    assert [line["message"] for line in log.lines if line["request_id"] == incident and "exception" in line] == [
        "The answer broke off while it was sent"
    ]
    (line,) = [line for line in request_lines(log) if "route" in line]
    assert (line["route"], line["has_broken_off"], line["level"]) == ("streams", True, "warning")


def test_a_worker_that_is_ended_in_the_middle_leaves_a_line(broken, log):
    with pytest.raises(SystemExit):
        broken.get("/ends/")

    assert [(line["route"], line["has_broken_off"]) for line in request_lines(log)] == [("ends_the_worker", True)]
    assert visits.current.get() is None


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [("0123456789abcdef", True), ("short", False), ("x" * 65, False), ("<b>evil</b>", False), ("abcdefgh\n", False)],
)
def test_a_callers_id_stands_beside_ours_when_it_is_harmless(client, log, given, is_kept):
    response = client.get("/signed-out/", headers={"X-Request-ID": given})

    (line,) = request_lines(log)
    assert line.get("callers_request_id") == (given if is_kept else None)
    assert line["request_id"] == response.headers["X-Request-ID"] != given


def test_two_requests_never_share_an_incident_id_whatever_their_callers_say(broken):
    answers = [broken.get("/breaks/", headers={"X-Request-ID": "0123456789abcdef"}) for _ in range(2)]

    first, second = (answer.headers["X-Request-ID"] for answer in answers)
    assert first != second


def test_after_a_request_nothing_belongs_to_it(client):
    client.get("/signed-out/")

    assert (visits.current.get(), request_id.current.get(), waits.spent.get()) == (None, "", None)


def test_an_answer_that_nobody_closed_does_not_outlast_the_next_request(broken):
    broken.get("/streams/")
    assert visits.current.get() is not None

    broken.get("/works/")

    assert visits.current.get() is None


def test_the_line_costs_no_query(client, db, log, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get("/signed-out/")

    assert connection.queries == [] or len(request_lines(log)) == 1


def ask(application: Any, path: str = "/works/") -> tuple[list[Any], bytes]:
    started: list[Any] = []
    environ = RequestFactory().get(path).environ
    body = b"".join(LastResort(application)(environ, lambda *arguments: started.append(arguments)))
    return started, body


@pytest.mark.parametrize(("path", "is_json"), [("/works/", False), ("/api/v1/works", True)])
def test_what_fails_outside_of_everything_is_answered_with_an_incident_id(log, path, is_json):
    def application(environ: Any, start_response: Any) -> Any:
        raise ZeroDivisionError(LEAK)

    (started,), body = ask(application, path)

    status, headers, _ = started
    incident = dict(headers)["X-Request-ID"]
    assert (status, incident in body.decode(), SECRET in body.decode()) == ("500 Internal Server Error", True, False)
    assert body.startswith(b"{") is is_json
    assert [line["request_id"] for line in log.lines if "exception" in line] == [incident]


def test_what_fails_when_the_answer_is_ready_keeps_the_requests_incident_id(broken, log):
    going_on: list[str] = []

    def application(environ: Any, start_response: Any) -> Any:
        broken.handler.load_middleware()
        response = broken.handler.get_response(RequestFactory().get("/works/", headers={"X-Forwarded-Proto": "https"}))
        going_on.append(response.headers["X-Request-ID"])
        raise ZeroDivisionError(LEAK)

    (started,), _ = ask(application)

    assert [dict(started[1])["X-Request-ID"]] == going_on
    assert [line["status"] for line in request_lines(log) if "route" in line] == [500]
    assert visits.current.get() is None
