"""Who passes the API's door: a token alone, or a session with its CSRF token on pages of our own. Nobody else."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path

from accounts import credentials
from accounts.models import Identity, User
from accounts.refusals import PROVIDER_DOWN, Refused
from accounts.turns import Turns
from tenants import scope
from tenants.api import methods, organisation_not_required
from tests.factories import make_member, make_organisation, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
HERE = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}


@methods("GET", "POST")
@organisation_not_required
def who(request: Any) -> HttpResponse:
    return JsonResponse({"email": request.user.email, "has_session": bool(request.session.session_key)})


@login_not_required
def anybody(request: HttpRequest) -> HttpResponse:
    return JsonResponse({})


urlpatterns = [path("api/who", who), path("api/anybody", anybody), path("", include("marketedge.urls"))]


@pytest.fixture
def client() -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def ben() -> User:
    return make_member(make_organisation("Lumen"), email="ben@example.com", subject="auth0|ben")


def told(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def test_a_token_alone_passes(client, bearer, ben):
    response = client.get("/api/who", headers=bearer("auth0|ben"))

    assert (response.status_code, response.json()) == (200, {"email": "ben@example.com", "has_session": False})


@pytest.mark.parametrize("written", ["bearer {}", "BEARER  {}", "Bearer {} "])
def test_the_word_bearer_is_read_in_any_case(client, bearer, ben, written):
    token = bearer("auth0|ben")["Authorization"].removeprefix("Bearer ")

    assert client.get("/api/who", headers={"Authorization": written.format(token)}).status_code == 200


def test_a_session_alone_passes_on_our_own_pages(client, ben):
    client.force_login(ben)

    assert client.get("/api/who", headers=HERE).json() == {"email": "ben@example.com", "has_session": True}


def test_neither_is_401_and_no_redirect(client):
    response = client.get("/api/who")

    assert (told(response), response.headers["WWW-Authenticate"]) == ((401, "unauthenticated"), "Bearer")


def test_of_both_the_token_decides(client, bearer, ben):
    client.force_login(make_user("greta@example.com"))

    answer = client.get("/api/who", headers=bearer("auth0|ben")).json()

    assert answer == {"email": "ben@example.com", "has_session": False}


@pytest.mark.parametrize("header", ["Bearer dead", "Bearer undefined", "Bearer eyJ.eyJ.x", "Bearer me_unknown"])
def test_a_bad_token_is_401_whatever_the_cookie_says(client, bearer, ben, header):
    client.force_login(ben)

    response = client.get("/api/who", headers={**HERE, "Authorization": header})

    assert told(response) == (401, "invalid_token")
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer é", "Bearer =", "bearer\ta"]
)
def test_a_malformed_header_is_said_to_be_so(client, bearer, ben, header):
    client.force_login(ben)

    response = client.get("/api/who", headers={**HERE, "Authorization": header})

    assert response.status_code in {400, 401}
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Basic YTpi", "Token x", "", "Digest x", "Bearerx y"])
def test_another_scheme_is_401_whatever_the_cookie_says(client, ben, header):
    client.force_login(ben)

    response = client.get("/api/who", headers={**HERE, "Authorization": header})

    assert (told(response), response.headers["WWW-Authenticate"]) == ((401, "unauthenticated"), "Bearer")


def test_a_token_call_leaves_the_browsers_session_as_it_is(client, bearer, ben):
    client.force_login(ben)
    before = client.cookies[settings.SESSION_COOKIE_NAME].value

    response = client.get("/api/who", headers=bearer("auth0|ben"))

    assert (client.cookies[settings.SESSION_COOKIE_NAME].value, settings.SESSION_COOKIE_NAME in response.cookies) == (
        before,
        False,
    )
    assert client.get("/api/who", headers=HERE).status_code == 200


def test_writing_by_session_needs_the_csrf_token(client, ben):
    client.force_login(ben)

    assert told(client.post("/api/who", headers=HERE)) == (403, "csrf")


def test_writing_by_session_passes_with_the_csrf_token(client, ben):
    client.force_login(ben)
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32

    assert client.post("/api/who", headers={**HERE, "X-CSRF-Token": "a" * 32}).status_code == 200


def test_writing_by_token_needs_none(client, bearer, ben):
    client.force_login(ben)

    assert client.post("/api/who", headers=bearer("auth0|ben")).status_code == 200


def test_a_bad_token_does_not_open_the_session_to_forgery(client, bearer, ben):
    client.force_login(ben)

    assert told(client.post("/api/who", headers={"Authorization": "Bearer dead"})) == (401, "invalid_token")


@pytest.mark.parametrize(
    "sent",
    [
        {"Origin": "https://app.example"},
        {"Origin": "http://testserver:8000"},
        {"Origin": "https://testserver"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_a_session_does_not_count_for_other_origins(client, ben, sent):
    client.force_login(ben)

    assert told(client.get("/api/who", headers=sent)) == (401, "unauthenticated")


def test_an_unknown_person_is_refused_and_creates_nothing(client, bearer):
    response = client.get("/api/who", headers=bearer("auth0|nobody", email="ben@example.com", email_verified=True))

    assert told(response) == (403, "unknown_person")
    with scope.login():
        assert (User.objects.count(), Identity.objects.count()) == (0, 0)


def test_a_person_is_not_found_by_address(client, bearer, ben):
    response = client.get("/api/who", headers=bearer("auth0|other", email=ben.email, email_verified=True))

    assert told(response) == (403, "unknown_person")


def test_a_deactivated_person_is_refused(client, bearer):
    make_member(make_organisation(), subject="auth0|iris", is_active=False)

    assert told(client.get("/api/who", headers=bearer("auth0|iris"))) == (403, "deactivated")


def test_a_deactivated_persons_session_is_nobodys(client, ben):
    client.force_login(ben)
    with scope.login():
        User.objects.update(is_active=False)

    assert told(client.get("/api/who", headers=HERE)) == (401, "unauthenticated")


def test_a_provider_that_is_away_is_no_fault_of_the_token(client, bearer, ben, monkeypatch):
    class Away:
        def key(self, kid, budget):
            raise Refused(PROVIDER_DOWN, "timeout")

        def is_at_hand(self, kid):
            return False

    monkeypatch.setattr("accounts.signed_tokens.key_store", Away())

    response = client.get("/api/who", headers=bearer("auth0|ben"))

    assert (told(response), response.headers["Retry-After"]) == ((503, "provider_unavailable"), "10")


def test_others_who_wait_for_keys_keep_nobody_out_whose_key_is_at_hand(client, bearer, ben, monkeypatch):
    monkeypatch.setattr(credentials, "turns", Turns(1))
    invented = bearer("auth0|ben", header={"kid": "invented"})

    with credentials.turns.taken():
        assert client.get("/api/who", headers=bearer("auth0|ben")).status_code == 200
        assert told(client.get("/api/who", headers=invented)) == (503, "provider_unavailable")


def test_tokens_are_refused_where_the_api_has_no_audience(client, bearer, settings, ben):
    settings.API_AUDIENCE = ""

    assert told(client.get("/api/who", headers=bearer("auth0|ben", aud=""))) == (401, "invalid_token")


def test_an_id_token_of_ours_does_not_pass(client, bearer, settings, ben):
    header = bearer("auth0|ben", header={"typ": "JWT"}, aud=settings.OIDC_RP_CLIENT_ID, nonce="n")

    assert told(client.get("/api/who", headers=header)) == (401, "invalid_token")


@pytest.mark.parametrize("header", ["Bearer dead", "Basic YTpi", "", "Bearer a b"])
def test_what_is_open_to_anybody_does_not_read_the_header(client, header):
    assert client.get("/api/anybody", headers={"Authorization": header}).status_code == 200


def test_what_is_open_to_anybody_does_not_read_the_cookie(client, ben):
    client.force_login(ben)

    with CaptureQueriesContext(connection) as asked:
        response = client.get("/api/anybody", headers=HERE)

    assert (response.status_code, len(asked), response.cookies.keys()) == (200, 0, set())


def test_answers_are_kept_by_nobody_and_differ_by_credential(client, bearer, ben):
    response = client.get("/api/who", headers=bearer("auth0|ben"))

    assert (response.headers["Cache-Control"], response.headers["Vary"]) == ("no-store", "Authorization, origin")


def test_a_call_by_token_does_not_ask_for_the_session_and_counts_in_one_statement(client, bearer, ben):
    client.force_login(ben)

    with CaptureQueriesContext(connection) as asked:
        client.get("/api/who", headers=bearer("auth0|ben"))

    statements = [query["sql"] for query in asked]
    assert [sql for sql in statements if "django_session" in sql or "accounts_session" in sql] == []
    assert len([sql for sql in statements if "accounts_ratelimituse" in sql]) == 1
    assert len(statements) <= 6
