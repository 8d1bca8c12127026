"""Everything that goes wrong below /api/ is told in one shape, readable for the allowed origin, and never redirects."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.test import Client
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from marketedge.admission import REFUSED
from tenants.api import Problem, methods, read_object
from tests.factories import make_member, make_organisation, make_superuser

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__), pytest.mark.filterwarnings("default")]
APP = "https://app.example"
FAULTS: dict[str, Exception] = {
    "broken": ZeroDivisionError("a secret"),
    "outage": OperationalError("a secret"),
    "forbidden": PermissionDenied("Not you."),
    "missing": Http404("a secret"),
    "invalid": Problem(422, "invalid", "Not this."),
    "large": RequestDataTooBig("a secret"),
}


@login_not_required
@csrf_exempt
def fails(request: HttpRequest, how: str) -> HttpResponse:
    raise FAULTS[how]


@login_not_required
@csrf_exempt
@methods("POST")
def echo(request: HttpRequest) -> HttpResponse:
    return JsonResponse(read_object(request))


urlpatterns = [
    path("api/fails/<str:how>", fails),
    path("api/echo", echo),
    path("", include("marketedge.urls")),
]
handler400 = "marketedge.incidents.bad_request"
handler403 = "marketedge.incidents.forbidden"
handler404 = "marketedge.incidents.not_found"
handler500 = "marketedge.incidents.server_error"


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False, headers={"X-Forwarded-Proto": "https", "Origin": APP})


def told(response: Any) -> tuple[int, str]:
    """Status and code; the rest of the shape is required here."""
    body = response.json()
    expected = {"detail", "code"} | ({"incident"} if response.status_code >= 500 else set())
    assert set(body) == expected
    assert isinstance(body["detail"], str)
    assert "secret" not in body["detail"]
    assert response.headers["Access-Control-Allow-Origin"] == APP
    assert response.headers["X-Request-ID"] == body.get("incident", response.headers["X-Request-ID"])
    return response.status_code, body["code"]


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("broken", 500, "fault"),
        ("outage", 503, "database_unavailable"),
        ("forbidden", 403, "forbidden"),
        ("missing", 404, "not_found"),
        ("invalid", 422, "invalid"),
        ("large", 413, "too_large"),
    ],
)
def test_what_a_view_raises(client, how, status, code):
    assert told(client.get(f"/api/fails/{how}")) == (status, code)


def test_an_outage_says_when_to_try_again(client):
    assert client.get("/api/fails/outage").headers["Retry-After"] == "10"


def test_an_unknown_address(client):
    assert told(client.get("/api/v1/nothing")) == (404, "not_found")


def test_nobody_signed_in(client):
    assert told(client.get("/api/v1/auth/me")) == (401, "unauthenticated")


def test_another_method(client):
    assert told(client.delete("/api/v1/auth/auth0-url")) == (405, "method_not_allowed")


def test_a_host_that_is_not_ours(client):
    assert told(client.get("/api/v1/auth/me", headers={"Host": "evil.example"})) == (400, "malformed")


def test_too_many_requests_at_once(client):
    assert told(client.get("/api/v1/auth/me", **{REFUSED: True})) == (503, "busy")


def test_too_many_calls_of_one_address(client, settings):
    settings.ADDRESS_RATE = (60, 1)
    client.get("/api/v1/nothing")

    assert told(client.get("/api/v1/nothing")) == (429, "too_many_requests")


def test_a_fault_within_a_middleware(client, monkeypatch):
    def breaks(*_: Any) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("accounts.door.match_of", breaks)

    assert told(client.get("/api/v1/auth/me")) == (500, "fault")


def test_a_database_that_is_away_while_the_person_is_looked_up(client, bearer, monkeypatch):
    def breaks(*_: Any) -> None:
        raise OperationalError("a secret")

    monkeypatch.setattr("accounts.credentials._person", breaks)

    assert told(client.get("/api/v1/auth/me", headers=bearer("ben"))) == (503, "database_unavailable")


def test_a_module_that_is_closed_for_the_person(client, bearer, monkeypatch):
    monkeypatch.setattr("modules.middleware.module_of", lambda request: "market_edge_core")
    make_member(make_organisation(), subject="ben")

    assert told(client.get("/api/v1/auth/me", headers=bearer("ben"))) == (403, "module_closed")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b'{"a": 1}', "text/plain", 415, "unsupported_media_type"),
        (b'{"a": 1}', "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"{", "application/json", 400, "malformed"),
        (b"\xff", "application/json", 400, "malformed"),
        (b"[" * 100_000, "application/json", 400, "malformed"),
        (b"[1]", "application/json", 422, "invalid"),
        (b"1" * (3 * 1024 * 1024), "application/json", 413, "too_large"),
    ],
)
def test_a_body_that_cannot_be_read(client, body, content_type, status, code):
    assert told(client.post("/api/echo", body, content_type=content_type)) == (status, code)


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
def test_a_body_that_can_be_read(client, content_type):
    assert client.post("/api/echo", b'{"a": "\xc3\xa9"}', content_type=content_type).json() == {"a": "é"}


@pytest.mark.parametrize("address", ["/api/v1/auth/me/", "/api/v1/auth/auth0-url/", "/api/v1", "/api/", "/api/v1/auth"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_nothing_is_led_elsewhere(client, address, method):
    client.force_login(make_superuser())

    assert told(getattr(client, method)(address)) == (404, "not_found")


def test_a_form_that_is_too_large_gets_a_page_that_says_so():
    sent = {"X-Forwarded-Proto": "https", "Host": "testserver", "Origin": "https://testserver"}
    strict = Client(enforce_csrf_checks=True, headers=sent)
    strict.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32

    response = strict.post("/sign-out/", b"a" * (3 * 1024 * 1024), content_type="application/x-www-form-urlencoded")

    assert (response.status_code, "That was too much at once" in response.content.decode()) == (413, True)
