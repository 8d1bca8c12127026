"""The API's door: the sign-in address for the single-page app, and its CORS headers."""

import pytest
from django.test import Client

from tests.accounts.conftest import query_of

PATH = "/api/v1/auth/auth0-url"
APP = "https://app.example"
ALLOWED = {"redirect_uri": f"{APP}/callback"}


@pytest.fixture
def client() -> Client:
    # No database: this address answers without it.
    return Client(headers={"X-Forwarded-Proto": "https"}, raise_request_exception=True)


def test_the_address_is_given_with_state_nonce_and_pkce(client, settings):
    answer = client.get(PATH, ALLOWED).json()

    asked = query_of(answer["auth_url"])
    assert answer["auth_url"].startswith(f"{settings.OIDC_OP_AUTHORIZATION_ENDPOINT}?")
    assert (answer["redirect_uri"], asked["redirect_uri"]) == (ALLOWED["redirect_uri"], ALLOWED["redirect_uri"])
    assert answer["scopes"] == ["openid", "profile", "email", "read:organization", "read:roles"]
    assert (asked["code_challenge_method"], len(asked["state"]) >= 32, len(asked["nonce"]) >= 32) == (
        "S256",
        True,
        True,
    )


def test_the_verifier_stays_in_a_cookie_that_scripts_cannot_read(client):
    cookie = client.get(PATH, ALLOWED).cookies["pkce_verifier"]

    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "None")


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "",
        f"{APP}/callback/",
        f"{APP}/callback?x=1",
        "https://app.example.evil.example/callback",
        "http://app.example/callback",
        "%00",
    ],
)
def test_only_exact_addresses_are_allowed(client, redirect_uri):
    response = client.get(PATH, {"redirect_uri": redirect_uri})

    assert (response.status_code, type(response.json()["detail"])) == (400, str)


def test_a_dead_bearer_token_does_not_matter(client):
    assert client.get(PATH, ALLOWED, headers={"Authorization": "Bearer dead"}).status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_other_methods_are_refused_in_json(client, method):
    response = getattr(client, method)(PATH)

    assert (response.status_code, response.headers["Allow"], "detail" in response.json()) == (405, "GET", True)


@pytest.mark.parametrize(
    ("path", "status"), [(f"{PATH}?redirect_uri={APP}/callback", 200), (PATH, 400), ("/api/v1/nothing", 404)]
)
def test_every_status_carries_the_headers_for_the_allowed_origin(client, path, status):
    response = client.get(path, headers={"Origin": APP})

    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == APP
    assert response.headers["Access-Control-Allow-Credentials"] == "true"


def test_another_origin_gets_none(client):
    response = client.get(PATH, ALLOWED, headers={"Origin": "https://evil.example"})

    assert not [name for name in response.headers if name.startswith("Access-Control")]


def test_the_preflight_allows_what_the_app_sends(client):
    asked = {
        "Origin": APP,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type,x-csrf-token,x-organization-id",
    }

    response = client.options(PATH, headers=asked)

    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (200, APP)
    assert set(response.headers["Access-Control-Allow-Methods"].split(", ")) == {
        "GET",
        "POST",
        "PUT",
        "DELETE",
        "OPTIONS",
    }


def test_health_carries_the_headers_too(client):
    response = client.get("/healthz/live", headers={"Origin": APP})

    assert response.headers["Access-Control-Allow-Origin"] == APP


@pytest.mark.parametrize("path", ["/api/v1/auth/auth0-url/", "/api/v1/auth/auth0-url/x"])
def test_nothing_below_the_api_redirects(client, path):
    response = client.get(path)

    assert (response.status_code, response.json()) == (404, {"detail": "There is nothing at this address."})
