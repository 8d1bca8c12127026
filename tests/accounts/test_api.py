"""Where the single-page app sends people to sign in: an address that needs neither the database nor the provider."""

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


def test_neither_session_nor_database_is_asked_whatever_cookies_there_are(client, settings):
    client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32

    response = client.get(PATH, ALLOWED)

    assert (response.status_code, response.cookies.keys()) == (200, {"pkce_verifier"})


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "trace"])
def test_other_methods_are_refused_in_json(client, method):
    response = getattr(client, method)(PATH)

    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert response.json()["code"] == "method_not_allowed"


def test_head_answers_as_get_without_the_body(client):
    response = client.head(PATH, ALLOWED)

    assert (response.status_code, response.content) == (200, b"")


def test_options_names_the_methods(client):
    response = client.options(PATH)

    assert (response.status_code, response.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")


def test_the_organisation_asked_for_is_passed_on(client):
    answer = client.get(PATH, {**ALLOWED, "organization_hint": "org_Lumen-1"}).json()

    assert (answer["organization_hint"], query_of(answer["auth_url"])["organization"]) == ("org_Lumen-1", "org_Lumen-1")


def test_no_organisation_is_no_organisation(client):
    answer = client.get(PATH, ALLOWED).json()

    assert (answer["organization_hint"], "organization" in query_of(answer["auth_url"])) == (None, False)


@pytest.mark.parametrize("separated", ["offline_access,openid", "offline_access openid", " offline_access , email,"])
def test_more_scopes_are_asked_for_once_each(client, settings, separated):
    settings.API_ADDITIONAL_SCOPES = ["offline_access"]

    answer = client.get(PATH, {**ALLOWED, "additional_scopes": separated}).json()

    assert answer["scopes"] == [*settings.API_SCOPES, "offline_access"]
    assert query_of(answer["auth_url"])["scope"] == " ".join(answer["scopes"])


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"additional_scopes": "delete:users"}, 400, "scope_not_allowed"),
        ({"additional_scopes": 'a"b'}, 422, "invalid"),
        ({"additional_scopes": "a\x00"}, 422, "invalid"),
        ({"additional_scopes": "é"}, 422, "invalid"),
        ({"additional_scopes": "x" * 200}, 422, "invalid"),
        ({"organization_hint": "a b"}, 422, "invalid"),
        ({"organization_hint": "x" * 101}, 422, "invalid"),
        ({"organization_hint": "org&prompt=none"}, 422, "invalid"),
        ({"redirect_uri": [f"{APP}/callback", f"{APP}/callback"]}, 400, "malformed"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(client, asked, status, code):
    response = client.get(PATH, {**ALLOWED, **asked})

    assert (response.status_code, response.json()["code"], type(response.json()["detail"])) == (status, code, str)


def test_the_audience_is_asked_for_where_the_api_has_one(client, settings):
    settings.API_AUDIENCE = "https://api.marketedge.example"

    asked = query_of(client.get(PATH, ALLOWED).json()["auth_url"])

    assert asked["audience"] == "https://api.marketedge.example"


def test_a_flood_from_one_address_is_told_when_to_try_again(client, settings):
    settings.ADDRESS_RATE = (60, 2)

    answers = [client.get(PATH, ALLOWED) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "1"


@pytest.mark.parametrize("path", ["/api/v1/auth/auth0-url/", "/api/v1/auth/auth0-url/x"])
def test_nothing_below_the_api_redirects(client, path):
    response = client.get(path)

    assert (response.status_code, response.json()) == (
        404,
        {"detail": "There is nothing at this address.", "code": "not_found"},
    )
