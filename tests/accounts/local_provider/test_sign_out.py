"""Signing out: whose session is meant, and how the client hears of it."""

import threading
from typing import Any

import jwt
import pytest

from accounts.demonstration import PEOPLE
from accounts.local_provider import sign_out
from tests.accounts.local_provider.conftest import SPENT
from tests.accounts.talking import answer, says, talking

SANA, TOM = PEOPLE[0], PEOPLE[1]
BYE = {"client_id": "us", "post_logout_redirect_uri": "https://us.example/bye"}


@pytest.fixture
def heard(provider, monkeypatch) -> list[tuple[str, str]]:
    """What the client is told behind everybody's back: (address, logout token)."""
    told: list[tuple[str, str]] = []
    changed: Any = {**vars(provider.settings), "backchannel_logout_uri": "https://us.example/hear"}
    provider.settings = type(provider.settings)(**changed)
    monkeypatch.setattr(sign_out, "deliver", lambda uri, token: told.append((uri, token)))
    # At once, so that the test sees it.
    monkeypatch.setattr(threading.Thread, "start", lambda thread: thread._target(*thread._args))
    return told


def sign_in(browser, subject=SANA.subject):
    """The claims of the id_token, and the token."""
    token = browser.post("/oauth/token", **SPENT, code=browser.code(subject)).json["id_token"]
    return jwt.decode(token, options={"verify_signature": False}), token


def is_signed_in(browser):
    return "Signed in as" in browser.get("/").text


@pytest.mark.parametrize("hint", ["sid", "sub", "email"])
def test_a_hint_that_means_this_session_ends_it(browser, hint):
    claims, _ = sign_in(browser)

    answer = browser.get("/oidc/logout", **BYE, logout_hint=claims[hint], state="x")

    assert (answer.status, answer.headers["Location"]) == (302, "https://us.example/bye?state=x")


def test_an_id_token_means_its_session_and_its_client(browser, clock):
    _, token = sign_in(browser)
    clock.now += 3600

    answer = browser.get("/oidc/logout", id_token_hint=token, post_logout_redirect_uri="https://us.example/bye")

    assert (answer.status, answer.headers["Location"]) == (302, "https://us.example/bye")


@pytest.mark.parametrize("hint", [{"logout_hint": "another"}, {"id_token_hint": "eyJhbGciOiJub25lIn0.e30."}])
def test_a_hint_that_means_somebody_else_asks_first(browser, hint):
    sign_in(browser)

    answer = browser.get("/oidc/logout", **BYE, **hint)

    assert (answer.status, "Sign Sana out?" in answer.text, is_signed_in(browser)) == (200, True, True)


def test_saying_yes_ends_the_session_and_leads_back(browser):
    sign_in(browser)
    question = browser.get("/oidc/logout", **BYE, logout_hint="another")

    answer = browser.post("/oidc/logout", pending=question.pending)

    assert (answer.headers["Location"], is_signed_in(browser)) == ("https://us.example/bye", False)


def test_the_client_is_told_which_session_ended(browser, heard, clock, provider):
    claims, _ = sign_in(browser)

    browser.post("/oidc/logout")

    ((uri, token),) = heard
    key = jwt.PyJWK(provider.signer.jwks()["keys"][0])
    told = jwt.decode(
        token, key, algorithms=["RS256"], audience="us", options={"verify_exp": False, "verify_iat": False}
    )
    assert len(told.pop("jti")) >= 16
    assert (uri, jwt.get_unverified_header(token)["typ"]) == ("https://us.example/hear", "logout+jwt")
    assert told == {
        "iss": "https://issuer.example/",
        "aud": "us",
        "iat": int(clock.now),
        "exp": int(clock.now) + 120,
        "sub": SANA.subject,
        "sid": claims["sid"],
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }


def test_a_client_that_never_got_a_token_is_told_nothing(browser, heard):
    browser.code()

    browser.post("/oidc/logout")

    assert heard == []


def test_somebody_elses_session_goes_on(browser, heard, provider):
    sign_in(browser)
    other = type(browser)(provider)
    sign_in(other, TOM.subject)

    browser.post("/oidc/logout")

    assert (len(heard), is_signed_in(other)) == (1, True)


@pytest.mark.parametrize(("status", "words"), [(200, ""), (204, ""), (400, "status 400"), (302, "status 302")])
def test_a_client_that_does_not_take_the_token_is_noted_without_it(caplog, status, words):
    with talking(says(answer(b"", f"{status} Answer"))) as client:
        sign_out.deliver(client.url, "a.logout.token")

    assert (len(client.heard), words in caplog.text, bool(words) == bool(caplog.text)) == (1, True, True)
    assert "a.logout.token" not in caplog.text


def test_a_client_that_is_gone_is_noted(caplog):
    sign_out.deliver("http://127.0.0.1:1/hear", "a.logout.token")

    assert "ConnectionError" in caplog.text
