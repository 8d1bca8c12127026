"""The local provider is strict where a real one is."""

import io
import json
from urllib.parse import urlencode

import jwt
import pytest

from accounts.demonstration import PEOPLE
from accounts.local_provider.provider import Answer, Provider, ProviderSettings, challenge_of
from tests.accounts.conftest import query_of

VERIFIER = "v" * 50
ASKED = {
    "client_id": "us",
    "redirect_uri": "https://us.example/callback",
    "response_type": "code",
    "scope": "openid profile email",
    "state": "s",
    "nonce": "n",
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}
SPENT = {
    "grant_type": "authorization_code",
    "client_id": "us",
    "client_secret": "secret",
    "redirect_uri": "https://us.example/callback",
    "code_verifier": VERIFIER,
}


@pytest.fixture(scope="module")
def provider() -> Provider:
    return Provider(
        ProviderSettings(
            "https://issuer.example/", "us", "secret", ("https://us.example/callback",), ("https://us.example/bye",)
        )
    )


def get(provider: Provider, path: str, **query: str) -> Answer:
    return provider.answer({"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": urlencode(query)})


def post(provider: Provider, path: str, **form: str) -> Answer:
    body = urlencode(form).encode()
    return provider.answer(
        {"REQUEST_METHOD": "POST", "PATH_INFO": path, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    )


def code_for(provider: Provider, subject: str = PEOPLE[0].subject) -> str:
    page = get(provider, "/authorize", **ASKED)
    pending = page.body.split('name="pending" value="')[1].split('"')[0]
    return query_of(post(provider, "/authorize", pending=pending, subject=subject).headers["Location"])["code"]


def test_the_page_lists_everybody(provider):
    body = get(provider, "/authorize", **ASKED).body

    assert [person.name for person in PEOPLE if person.name not in body] == []


def test_a_code_becomes_a_token_with_the_claims_of_the_person(provider):
    answer = post(provider, "/oauth/token", **SPENT, code=code_for(provider))

    token = json.loads(answer.body)["id_token"]
    claims = jwt.decode(token, provider.signer.key.public_key(), algorithms=["RS256"], audience="us")
    assert (claims["iss"], claims["sub"], claims["nonce"], claims["email_verified"]) == (
        "https://issuer.example/",
        PEOPLE[0].subject,
        "n",
        True,
    )


def test_a_code_is_spent_once(provider):
    code = code_for(provider)
    post(provider, "/oauth/token", **SPENT, code=code)

    assert json.loads(post(provider, "/oauth/token", **SPENT, code=code).body)["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"code_verifier": "other"}, 400, "invalid_grant"),
        ({"redirect_uri": "https://us.example/other"}, 400, "invalid_grant"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "them"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_what_does_not_fit_gets_no_token(provider, changes, status, error):
    answer = post(provider, "/oauth/token", **{**SPENT, **changes, "code": code_for(provider)})

    assert (answer.status, json.loads(answer.body)["error"]) == (status, error)


@pytest.mark.parametrize("changes", [{"client_id": "them"}, {"redirect_uri": "https://evil.example/"}])
def test_nobody_is_sent_to_an_address_that_is_not_proven(provider, changes):
    answer = get(provider, "/authorize", **{**ASKED, **changes})

    assert (answer.status, answer.headers) == (400, {})


@pytest.mark.parametrize(
    "changes",
    [{"code_challenge_method": "plain"}, {"code_challenge": ""}, {"response_type": "token"}, {"scope": "email"}],
)
def test_a_weak_question_is_sent_back_with_an_error(provider, changes):
    back = query_of(get(provider, "/authorize", **{**ASKED, **changes}).headers["Location"])

    assert (back["error"], back["state"]) == ("invalid_request", "s")


def test_cancelling_sends_the_error_back(provider):
    page = get(provider, "/authorize", **ASKED)
    pending = page.body.split('name="pending" value="')[1].split('"')[0]

    back = query_of(post(provider, "/authorize", pending=pending, cancel="yes").headers["Location"])

    assert (back["error"], back["state"]) == ("access_denied", "s")


def test_a_page_is_used_once(provider):
    page = get(provider, "/authorize", **ASKED)
    pending = page.body.split('name="pending" value="')[1].split('"')[0]
    post(provider, "/authorize", pending=pending, subject=PEOPLE[0].subject)

    assert post(provider, "/authorize", pending=pending, subject=PEOPLE[0].subject).status == 400


@pytest.mark.parametrize(
    ("uri", "status"), [("https://us.example/bye", 302), ("https://evil.example/", 200), ("", 200)]
)
def test_signing_out_leads_back_to_listed_addresses_alone(provider, uri, status):
    assert get(provider, "/oidc/logout", client_id="us", post_logout_redirect_uri=uri).status == status


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/oauth/token", 405)])
def test_other_pages_are_not_there(provider, path, status):
    assert get(provider, path).status == status
