"""Which other origins read our answers: the listed one, letter by letter, whatever the answer is."""

from typing import Any

import pytest
from django.test import Client

from marketedge.admission import REFUSED
from marketedge.cors import OPENERS, origins_are_exact
from marketedge.observation import LastResort

pytestmark = pytest.mark.django_db
APP = "https://app.example"
AUTH0_URL = "/api/v1/auth/auth0-url"
GOOD = f"{AUTH0_URL}?redirect_uri={APP}/callback"
EXPOSED = {"etag", "retry-after", "www-authenticate", "x-request-id"}


@pytest.fixture
def client() -> Client:
    return Client(headers={"X-Forwarded-Proto": "https"}, raise_request_exception=False)


def cors_of(response: Any) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.lower().startswith("access-control")}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (GOOD, 200),
        (AUTH0_URL, 400),
        ("/api/v1/auth/me", 401),
        ("/api/v1/nothing", 404),
        ("/ofrep/v1/nothing", 404),
        ("/health", 200),
        ("/healthz/live", 200),
    ],
)
def test_every_status_is_readable_for_the_listed_origin(client, path, status):
    response = client.get(path, headers={"Origin": APP})

    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (status, APP)
    assert response.headers["Access-Control-Allow-Credentials"] == "true"
    assert set(response.headers["Access-Control-Expose-Headers"].split(", ")) == EXPOSED
    assert "origin" in response.headers["Vary"].lower()


def test_the_answer_for_those_who_are_too_many_is_readable(client):
    response = client.get("/api/v1/auth/me", headers={"Origin": APP}, **{REFUSED: True})

    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (503, APP)


@pytest.mark.parametrize("method", ["put", "post"])
def test_health_refuses_other_methods_readably(client, method):
    response = getattr(client, method)("/health", headers={"Origin": APP})

    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (405, APP)


STRANGERS = [
    "https://evil.example",
    "null",
    "https://app.example.evil.example",
    "https://evilapp.example",
    "https://evil.example/https://app.example",
    "https://sub.app.example",
    "http://app.example",
    "https://app.example:8443",
    "https://app.example:443",
    "https://app.example.",
    "https://APP.example",
    "HTTPS://app.example",
    "https://app.example/",
    "https://app.example/callback",
    "https://app.example?x",
    "https://app.example#x",
    "https://user@app.example",
    "https://app.example https://evil.example",
    "https://app.example,https://evil.example",
    "https://[::1",
    "*",
    "",
]


@pytest.mark.parametrize("origin", STRANGERS)
@pytest.mark.parametrize("path", [GOOD, "/api/v1/auth/me", "/api/v1/nothing", "/health"])
def test_every_other_origin_gets_none(client, origin, path):
    response = client.get(path, headers={"Origin": origin})

    assert cors_of(response) == {}
    assert "origin" in response.headers["Vary"].lower()


@pytest.mark.parametrize("origin", STRANGERS)
def test_every_other_origin_is_refused_its_preflight(client, origin):
    asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}

    assert cors_of(client.options("/api/v1/auth/me", headers=asked)) == {}


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/o/lumen/", "/static/nothing.css", "/oidc/callback/", "/apiary"])
def test_pages_are_for_nobody_elsewhere(client, path):
    assert cors_of(client.get(path, headers={"Origin": APP})) == {}


def test_the_preflight_allows_what_the_app_sends_and_nothing_more(client):
    asked = {"Origin": APP, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}

    response = client.options("/api/v1/auth/me", headers=asked)

    assert (response.status_code, cors_of(response)) == (
        200,
        {
            "access-control-allow-origin": APP,
            "access-control-allow-credentials": "true",
            "access-control-expose-headers": "etag, retry-after, www-authenticate, x-request-id",
            "access-control-allow-headers": "authorization, content-type, if-none-match, x-api-key, x-csrf-token, "
            "x-organization-id, x-tenant-id",
            "access-control-allow-methods": "GET, POST, PUT, DELETE, OPTIONS",
            "access-control-max-age": "3600",
        },
    )


def test_without_an_origin_caches_are_told_that_it_matters(client):
    assert "origin" in client.get(GOOD).headers["Vary"].lower()


@pytest.mark.parametrize("name", OPENERS)
def test_a_setting_that_lets_others_in_is_refused(settings, name):
    setattr(settings, name, ["https://.*"])

    assert [problem.id for problem in origins_are_exact()] == ["marketedge.E020"]


@pytest.mark.parametrize("origin", ["*", "https://*.app.example", "null", "https://app.example/", "app.example"])
def test_what_is_no_origin_is_refused(settings, origin):
    settings.CORS_ALLOWED_ORIGINS = [origin]

    assert [problem.id for problem in origins_are_exact()] == ["marketedge.E021"]


def test_the_settings_of_these_tests_are_fine():
    assert origins_are_exact() == []


@pytest.mark.parametrize(
    ("path", "origin", "told"),
    [
        ("/api/v1/auth/me", "https://app.example", "https://app.example"),
        ("/api/v1/auth/me", "https://app.example.evil.example", None),
        ("/api/v1/auth/me", "", None),
        ("/sign-in/", "https://app.example", None),
    ],
)
def test_the_answer_of_the_last_resort_is_readable_for_the_listed_origin_alone(path, origin, told):
    def broken(environ, start_response):
        raise ZeroDivisionError

    started: list[tuple] = []
    LastResort(broken)({"PATH_INFO": path, "HTTP_ORIGIN": origin}, lambda *arguments: started.append(arguments))

    [(status, headers, _)] = started
    given = dict(headers)
    assert (status[:3], given.get("Access-Control-Allow-Origin")) == ("500", told)
    assert ("Origin" in given.get("Vary", "")) is path.startswith("/api/")
