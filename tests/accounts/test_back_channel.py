"""The provider says that somebody signed out there; only the provider, only once, and only about signing out."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import back_channel, provider_keys, signed_tokens
from accounts.logout_tokens import EVENT
from accounts.models import Identity, Session, UsedLogoutToken
from accounts.provider_keys import KeyStore, Known
from accounts.sessions import PROVIDER_SESSION
from accounts.turns import Turns
from tenants import scope
from tenants.models import AuditEvent
from tests.accounts.lying import claims, jwk, key, signed
from tests.factories import make_user

pytestmark = pytest.mark.django_db
PATH = "/oidc/backchannel-logout/"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    found = provider_keys._signing_key(jwk())
    assert found
    known = Known(settings.OIDC_OP_JWKS_ENDPOINT, (found,), time.monotonic())
    monkeypatch.setattr(signed_tokens, "key_store", KeyStore(known, unknown_at=time.monotonic()))


def token(header: dict[str, Any] | None = None, private: Any = None, **changes: Any) -> str:
    said = {"nonce": None, "email": None, "sid": "session-1", "jti": "message-1", "events": {EVENT: {}}, **changes}
    return signed(claims(**said), {"typ": "logout+jwt", **(header or {})}, private)


def post(logout_token: str, client: Client | None = None) -> Any:
    browser = client or Client(enforce_csrf_checks=True, headers={"X-Forwarded-Proto": "https"})
    return browser.post(PATH, f"logout_token={logout_token}", content_type="application/x-www-form-urlencoded")


def person_with(subject: str) -> Any:
    return make_user(f"{subject.replace('|', '.')}@example.com", subject=subject)


def sign_in(person: Any, provider_session: str) -> Client:
    browser = Client(headers={"X-Forwarded-Proto": "https"})
    browser.force_login(person)
    session = browser.session
    session[PROVIDER_SESSION] = provider_session
    session.save()
    return browser


def left() -> list[str]:
    return sorted(Session.objects.values_list("provider_session", flat=True))


def test_the_session_that_the_provider_names_ends_and_no_other():
    ben = person_with("auth0|ben")
    first, second = sign_in(ben, "session-1"), sign_in(ben, "session-2")

    response = post(token())

    assert (response.status_code, response.content, "no-store" in response.headers["Cache-Control"]) == (200, b"", True)
    assert (left(), first.get("/").headers["Location"]) == (["session-2"], "/sign-in/?next=/")
    assert "_auth_user_id" in second.session


def test_a_person_whom_the_provider_names_is_signed_out_everywhere():
    ben, ann = person_with("auth0|ben"), person_with("auth0|ann")
    for provider_session in ("session-1", "session-2"):
        sign_in(ben, provider_session)
    sign_in(ann, "session-3")

    assert (post(token(sid=None)).status_code, left()) == (200, ["session-3"])


def test_a_session_alone_is_enough():
    sign_in(person_with("auth0|ben"), "session-1")

    assert (post(token(sub=None)).status_code, left()) == (200, [])


def test_a_session_of_somebody_else_does_not_end():
    sign_in(person_with("auth0|ann"), "session-1")

    assert (post(token()).status_code, left()) == (200, ["session-1"])


def test_sessions_that_no_provider_named_do_not_end_with_one_that_it_did():
    sign_in(person_with("auth0|ben"), "")

    post(token())

    assert left() == [""]


def test_the_same_subject_at_another_provider_is_somebody_else():
    ben = make_user()
    with scope.login():
        Identity.objects.create(user=ben, issuer="https://another.example/", subject="auth0|ben")
    sign_in(ben, "session-1")

    post(token())

    assert left() == ["session-1"]


def test_somebody_unknown_is_nothing_to_complain_about():
    assert post(token(sub="auth0|nobody")).status_code == 200


def test_it_is_written_down():
    ben = person_with("auth0|ben")
    sign_in(ben, "session-1")

    post(token())

    with scope.login():
        event = AuditEvent.objects.get(action="person.signed_out_at_provider")
    assert (event.actor, event.actor_email, event.data) == (ben, ben.email, {"sessions": 1})


def test_each_message_counts_once():
    message, ben = token(), person_with("auth0|ben")
    post(message)
    sign_in(ben, "session-1")

    assert (post(message).status_code, left()) == (400, ["session-1"])


def test_a_message_is_remembered_as_long_as_it_could_count_and_then_forgotten():
    post(token())
    with scope.login():
        kept = UsedLogoutToken.objects.get().expires_at - timezone.now()
        UsedLogoutToken.objects.update(expires_at=timezone.now())

    post(token(jti="message-2"))

    assert kept > timedelta(seconds=signed_tokens.YOUNGEST + signed_tokens.LEEWAY)
    assert UsedLogoutToken.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_message_that_comes_twice_at_once_counts_once():
    message, answers = token(), []

    def bring() -> None:
        try:
            answers.append(post(message).status_code)
        finally:
            connection.close()

    together = [threading.Thread(target=bring) for _ in range(4)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()

    assert sorted(answers).count(200) == 1


@pytest.mark.parametrize(
    ("header", "changes"),
    [
        ({"typ": "JWT"}, {}),
        ({"typ": None}, {}),
        ({"typ": "at+jwt"}, {}),
        ({"alg": "none"}, {}),
        ({"alg": "HS256"}, {}),
        ({"kid": "unknown"}, {}),
        ({"crit": ["exp"]}, {}),
        ({}, {"iss": "https://evil.example/"}),
        ({}, {"aud": "somebody-else"}),
        ({}, {"aud": ["marketedge-tests", "somebody-else"]}),
        ({}, {"aud": None}),
        ({}, {"iat": None}),
        ({}, {"iat": 1_700_000_000}),
        ({}, {"exp": None}),
        ({}, {"exp": 1_700_000_000}),
        ({}, {"jti": None}),
        ({}, {"jti": ""}),
        ({}, {"jti": 5}),
        ({}, {"events": None}),
        ({}, {"events": {}}),
        ({}, {"events": [EVENT]}),
        ({}, {"events": EVENT}),
        ({}, {"events": {EVENT: True}}),
        ({}, {"events": {"http://schemas.openid.net/event/other": {}}}),
        ({}, {"nonce": "x"}),
        ({}, {"nonce": ""}),
        ({}, {"sub": None, "sid": None}),
        ({}, {"sub": ""}),
        ({}, {"sid": ["session-1"]}),
    ],
)
def test_a_message_that_does_not_fit_ends_nothing(header, changes):
    sign_in(person_with("auth0|ben"), "session-1")

    response = post(token(header, **changes))

    assert (response.status_code, response.json()["error"], left()) == (400, "invalid_request", ["session-1"])
    assert "no-store" in response.headers["Cache-Control"]


def test_a_message_that_somebody_else_signed_ends_nothing():
    sign_in(person_with("auth0|ben"), "session-1")

    assert (post(token(private=key(name="theirs"))).status_code, left()) == (400, ["session-1"])


def test_an_id_token_is_no_message():
    sign_in(person_with("auth0|ben"), "session-1")

    assert (post(signed(claims())).status_code, left()) == (400, ["session-1"])


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", "application/x-www-form-urlencoded"),
        ("logout_token=", "application/x-www-form-urlencoded"),
        ("logout_token=a.b.c&logout_token=a.b.c", "application/x-www-form-urlencoded"),
        ("logout_token=%00", "application/x-www-form-urlencoded"),
        ('{"logout_token": "a.b.c"}', "application/json"),
        (f"logout_token={'x' * 40_000}", "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_no_message_is_refused(client, body, kind):
    assert client.post(PATH, body, content_type=kind).status_code == 400


def test_a_body_that_is_too_long_is_not_read(client, monkeypatch):
    monkeypatch.setattr(
        back_channel.logout_tokens, "verified", lambda given, _: pytest.fail("it was read") if given else 1
    )
    monkeypatch.setattr(back_channel.actions, "end_provider_sessions", lambda _: 0)

    client.post(PATH, f"logout_token={'x' * 40_000}", content_type="application/x-www-form-urlencoded")


def test_messages_come_by_post_alone(client):
    assert [getattr(client, method)(PATH).status_code for method in ("get", "head", "put", "delete")] == [405] * 4


def test_the_session_of_who_brings_the_message_is_not_touched():
    bringer = sign_in(person_with("auth0|ann"), "session-9")

    response = post(token(), bringer)

    assert (response.status_code, response.cookies) == (200, {})


def test_few_at_once_may_make_us_ask_for_keys(monkeypatch, caplog):
    monkeypatch.setattr(back_channel, "turns", Turns(1))
    with back_channel.turns.taken():
        assert post(token({"kid": "invented"})).status_code == 400
    assert "too many at once" in caplog.text


def test_a_message_whose_key_is_at_hand_is_heard_whoever_waits_meanwhile(monkeypatch):
    monkeypatch.setattr(back_channel, "turns", Turns(1))
    with back_channel.turns.taken():
        assert post(token()).status_code == 200


def test_what_is_refused_is_in_the_log_without_the_message(caplog):
    message = token(sub=None, sid=None)

    post(message)

    assert ("about nobody" in caplog.text, message in caplog.text) == (True, False)
