"""Whatever the provider says that is not the truth: nobody gets in, nobody is made, nobody is signed out, no fault."""

import json
import time
from typing import Any

import pytest

from accounts import refusals as known_refusals
from tests.accounts.lies.answers import BROKEN, KEYS, SLOW, TOKENS
from tests.accounts.lies.bent_claims import CLAIMS, ORGANISATIONS
from tests.accounts.lies.conftest import as_json
from tests.accounts.lies.forged_tokens import FORGED
from tests.accounts.lies.people import LOOKALIKES, NEWCOMER, TAKEOVERS, VERIFIED
from tests.accounts.lies.world import ADDRESS, Truth, World, everybody, refusals

pytestmark = pytest.mark.django_db
NO_TOKEN = {"bad_token"}
NO_ANSWER = {"provider_down", "provider_refused", "bad_token"}
NOT_THEM = {"uninvited", "unverified", "no_address", "address_taken", "bad_token"}
VERA_AND_BEN = (2, 1)  # people, and those who are known by a subject
ADDRESSES = {"/oauth/token", "/.well-known/jwks.json"}


def assert_refused(world: World, answer: Any, allowed: set[str]) -> None:
    """A page that says why, under its incident id, with one line in the audit; and everything else as it was."""
    [refusal] = refusals()
    page = answer.content.decode()
    expected = known_refusals.BY_CODE[refusal["code"]]
    assert refusal["code"] in allowed
    assert (answer.status_code, expected.title in page, "Incident id" in page) == (expected.status, True, True)
    assert (world.is_as_before, everybody()) == (True, VERA_AND_BEN)
    assert "a-code-of-the-provider" not in page + json.dumps(refusal)
    assert set(world.provider.asked) <= ADDRESSES


def of_token(make: Any) -> Any:
    """The answer of the token endpoint with this token."""
    return lambda truth: as_json(truth.body(make(truth)))


def of_claims(change: Any) -> Any:
    return of_token(lambda truth: truth.token(change(truth)))


def of_body(bend: Any) -> Any:
    return lambda truth: bend(json.dumps(truth.body()).encode())


def of_keys(bend: Any) -> Any:
    return lambda truth: bend(json.dumps(truth.keys()).encode())


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_lets_nobody_in(world, hears, name):
    answer = hears(world, of_token(FORGED[name]))

    assert_refused(world, answer, NO_TOKEN)


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_that_does_not_fit_lets_nobody_in(world, hears, name):
    answer = hears(world, of_claims(CLAIMS[name]))

    assert_refused(world, answer, NO_TOKEN)


@pytest.mark.parametrize("name", ORGANISATIONS)
def test_an_organisation_that_is_none_of_ours_lets_nobody_in(world, hears, name):
    answer = hears(world, of_claims(lambda truth: {"org_id": ORGANISATIONS[name]}))

    assert_refused(world, answer, {"organisation_unknown", "bad_token"})


@pytest.mark.parametrize("name", VERIFIED)
def test_an_address_counts_only_when_verified_is_the_boolean_true(world, hears, name):
    claims = {"sub": NEWCOMER, "email": ADDRESS, "email_verified": VERIFIED[name]}

    answer = hears(world, of_claims(lambda truth: claims))

    assert_refused(world, answer, {"unverified"})


@pytest.mark.parametrize("name", LOOKALIKES)
def test_an_address_that_only_looks_alike_is_not_invited(world, hears, name):
    claims = {"sub": NEWCOMER, "email": LOOKALIKES[name]}

    answer = hears(world, of_claims(lambda truth: claims))

    assert_refused(world, answer, NOT_THEM)


@pytest.mark.parametrize("name", TAKEOVERS)
def test_nobody_takes_over_somebody_else(world, hears, name):
    answer = hears(world, of_claims(lambda truth: TAKEOVERS[name]))

    assert_refused(world, answer, NOT_THEM)


@pytest.mark.parametrize("name", BROKEN)
def test_an_answer_without_tokens_lets_nobody_in(world, hears, name):
    answer = hears(world, of_body(BROKEN[name]))

    assert_refused(world, answer, NO_ANSWER)


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_that_is_not_where_it_belongs_is_not_looked_for(world, hears, name):
    answer = hears(world, TOKENS[name])

    assert_refused(world, answer, NO_ANSWER)


@pytest.mark.parametrize("name", BROKEN)
def test_an_answer_without_keys_lets_nobody_in(world, hears, name):
    answer = hears(world, keys=of_keys(BROKEN[name]))

    assert_refused(world, answer, NO_ANSWER)


@pytest.mark.parametrize("name", KEYS)
def test_keys_that_cannot_have_signed_let_nobody_in(world, hears, name):
    answer = hears(world, keys=KEYS[name])

    assert_refused(world, answer, NO_ANSWER)


@pytest.mark.parametrize("where", ["tokens", "keys"])
@pytest.mark.parametrize("name", SLOW)
def test_a_provider_that_keeps_us_waiting_is_given_up_in_time(world, hears, settings, name, where):
    settings.OIDC_TIMEOUT = 0.3
    began = time.monotonic()

    answer = hears(world, **{where: (of_body if where == "tokens" else of_keys)(SLOW[name])})

    assert time.monotonic() - began < 1.5
    assert_refused(world, answer, {"provider_down"})


def test_a_key_that_is_too_short_signs_for_nobody(world, hears):
    from tests.accounts import lying

    weak = lying.key(1024, "weak")
    answer = hears(
        world,
        of_token(lambda truth: truth.token(key=weak)),
        lambda truth: as_json({"keys": [lying.jwk(weak)]}),
    )

    assert_refused(world, answer, NO_ANSWER)


def test_a_token_of_another_attempt_of_the_same_browser_is_refused(world, hears):
    other = Truth(world.begin()["nonce"])

    answer = hears(world, of_token(lambda truth: other.token()))

    assert_refused(world, answer, NO_TOKEN)


def test_a_token_that_came_once_does_not_come_again(stranger, hears):
    tokens: list[str] = []

    def note(truth: Truth) -> str:
        tokens.append(truth.token())
        return tokens[0]

    hears(stranger, of_token(note))
    who = stranger.who_is_in

    answer = hears(stranger, of_token(lambda truth: tokens[0]))

    assert (answer.status_code, stranger.who_is_in, everybody()) == (403, who, VERA_AND_BEN)
    assert [refusal["code"] for refusal in refusals()] == ["bad_token"]
