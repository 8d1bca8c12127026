"""The product signs people in at a provider that somebody else has written, and refuses what that one would not do."""

import pytest
import requests

from accounts.models import User
from tests.accounts.conftest import query_of
from tests.accounts.independent.conftest import PERSON
from tests.factories import make_invitation, make_organisation

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def invited():
    make_invitation(make_organisation("Lumen"), PERSON["email"])


def test_an_invited_person_signs_in(walk):
    answer = walk()

    assert (answer.status_code, answer.headers["Location"], walk.is_signed_in) == (302, "/", True)
    assert User.objects.get().email == PERSON["email"]


def test_the_provider_accepts_our_question_as_it_stands(walk):
    callback = query_of(walk.approve(walk.begin()))

    assert ("code" in callback, "error" in callback) == (True, False)


@pytest.mark.parametrize("left_out", ["code_challenge", "nonce", "redirect_uri"])
def test_the_provider_is_strict_where_our_question_must_be_complete(walk, left_out):
    address = "&".join(part for part in walk.begin().split("&") if f"{left_out}=" not in part)

    answer = requests.get(address, timeout=5, allow_redirects=False)

    assert (answer.status_code >= 400 or "error=" in answer.headers["Location"]) is True


def test_a_verifier_of_another_attempt_does_not_fit(walk, independent):
    callback = walk.approve(walk.begin())
    for code in independent.codes.values():
        code.question["code_challenge"] = "x" * 43

    assert (walk.arrive(callback).status_code, walk.is_signed_in) == (403, False)


def test_a_nonce_of_another_attempt_is_refused(walk, independent):
    independent.alters = lambda claims: {**claims, "nonce": "of-another-attempt"}

    assert (walk().status_code, walk.is_signed_in, User.objects.count()) == (403, False, 0)


def test_a_token_without_nonce_is_refused(walk, independent):
    independent.alters = lambda claims: {name: value for name, value in claims.items() if name != "nonce"}

    assert (walk().status_code, walk.is_signed_in) == (403, False)


def test_a_code_is_spent_once(walk):
    callback = walk.approve(walk.begin())
    walk.browser.get(callback)

    assert walk.arrive(callback).status_code == 400


def test_keys_that_changed_are_found_without_a_restart(walk, independent, monkeypatch):
    walk()
    independent.rotate()
    monkeypatch.setattr("accounts.provider_keys.UNKNOWN_COOL_DOWN", 0)

    answer = walk()

    assert (answer.status_code, answer.headers.get("Location")) == (302, "/")


def test_a_token_of_a_key_that_was_never_published_is_refused(walk, independent, monkeypatch):
    walk()
    published = list(independent.keys)
    independent.rotate()
    monkeypatch.setattr("joserfc.jwk.KeySet.as_dict", lambda keys, **_: {"keys": [published[0].as_dict(private=False)]})

    assert walk().status_code == 403


def test_our_secret_is_what_lets_us_spend_codes(walk, settings):
    settings.OIDC_RP_CLIENT_SECRET = "somebody else's"

    assert (walk().status_code, walk.is_signed_in) == (403, False)
