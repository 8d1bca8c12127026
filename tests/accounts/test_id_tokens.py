"""An id_token is believed only when every part of it fits; each of these is one lie about it."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from accounts import provider_keys, signed_tokens
from accounts.bounded_http import Budget
from accounts.id_tokens import Claims, verified_claims
from accounts.provider import Tokens
from accounts.provider_keys import KeyStore, Known
from accounts.refusals import BAD_TOKEN, Refused
from tests.accounts.lying import KID, NONCE, claims, jwk, key, signed


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Any:
    """Sets which keys the provider lists; nobody is asked for others."""

    def listed(*entries: Any) -> None:
        found = tuple(entry for given in entries if (entry := provider_keys._signing_key(given)))
        store = KeyStore(Known(settings.OIDC_OP_JWKS_ENDPOINT, found, time.monotonic()), unknown_at=time.monotonic())
        monkeypatch.setattr(signed_tokens, "key_store", store)

    listed(jwk())
    return listed


def believed(token: str, *, access_token: str = "", nonce: str = NONCE) -> Claims:
    return verified_claims(Tokens(token, access_token), Budget(1), nonce=nonce)


def reason_against(token: str, **options: str) -> str:
    with pytest.raises(Refused) as refused:
        believed(token, **options)
    assert refused.value.refusal == BAD_TOKEN
    return refused.value.detail


def with_times(changes: dict[str, Any]) -> dict[str, Any]:
    """Claims in which the times are seconds from now, counted when the test runs."""
    now = int(time.time())
    return claims(**{name: now + value if type(value) is int else value for name, value in changes.items()})


def test_a_good_token_is_believed(settings):
    assert believed(signed(claims())) == Claims(
        issuer=settings.OIDC_ISSUER,
        subject="auth0|ben",
        email="ben@lumen-cinemas.example",
        is_email_verified=True,
        name="Ben Castellan",
        session_id="session-1",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["marketedge-tests"]},
        {"azp": "marketedge-tests"},
        {"exp": -20},
        {"iat": -590},
        {"iat": 20},
        {"nbf": 20},
        {"auth_time": -90_000},
    ],
)
def test_what_fits_in_another_way_is_believed_too(changes):
    assert believed(signed(with_times(changes))).subject == "auth0|ben"


@pytest.mark.parametrize(
    "issuer", ["https://issuer.example", "https://issuer.example/x/", "", ["https://issuer.example/"], None]
)
def test_the_issuer_is_ours_to_the_last_slash(issuer):
    assert reason_against(signed(claims(iss=issuer))) == "another issuer"


@pytest.mark.parametrize(
    "audience",
    [
        "somebody-else",
        ["marketedge-tests", "somebody-else"],
        [],
        "",
        None,
        {"marketedge-tests": 1},
        [["marketedge-tests"]],
    ],
)
def test_the_token_is_for_us_and_nobody_beside(audience):
    assert reason_against(signed(claims(aud=audience))) == "another audience, or one beside us"


@pytest.mark.parametrize("party", ["somebody-else", "", ["marketedge-tests"], 5])
def test_the_authorized_party_is_us(party):
    assert reason_against(signed(claims(azp=party))) == "another authorized party"


NO_MOMENTS = [True, 1.5, 1e10, 4e9, "4000000000", -5, 0, 10**30, [], {}, None]


@pytest.mark.parametrize("name", ["exp", "iat"])
@pytest.mark.parametrize("value", NO_MOMENTS)
def test_times_are_whole_seconds_and_there(name, value):
    assert reason_against(signed(claims(**{name: value}))) == f"{name} is no moment"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "1" * 5000])
def test_numbers_that_are_none_are_refused(value):
    payload = json.dumps(claims(exp="here")).replace('"here"', value).encode()

    assert reason_against(signed(payload)) in {"a part is no JSON object", "exp is no moment"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exp": -40}, "expired"),
        ({"exp": -9000, "iat": -9000}, "expired"),
        ({"iat": -660}, "made too long ago, or in the future"),
        ({"iat": 60}, "made too long ago, or in the future"),
        ({"nbf": 60}, "not valid yet"),
        ({"nbf": "now"}, "nbf is no moment"),
    ],
)
def test_times_are_near_our_own(changes, reason):
    assert reason_against(signed(with_times(changes))) == reason


@pytest.mark.parametrize("subject", [None, "", 5, True, ["auth0|ben"], "a\x00b", "a\ud800b", "x" * 256])
def test_the_subject_is_a_text_of_a_fair_length(subject):
    assert reason_against(signed(claims(sub=subject))) == "sub is no text"


@pytest.mark.parametrize("name", ["sid", "org_id"])
@pytest.mark.parametrize("value", ["", 5, ["x"], "a\nb", "x" * 256])
def test_names_of_the_provider_are_texts_where_they_are_given(name, value):
    assert reason_against(signed(claims(**{name: value}))) == f"{name} is no text"


@pytest.mark.parametrize("nonce", [None, "", "not-ours", NONCE.upper(), 5, [NONCE], "\ud800"])
def test_the_token_answers_our_question(nonce):
    assert reason_against(signed(claims(nonce=nonce))) == "nonce"


def test_a_question_without_a_nonce_has_no_answer():
    assert reason_against(signed(claims(nonce="")), nonce="") == "nonce"


def test_secrets_are_compared_in_constant_time(monkeypatch):
    compared = []

    def compare(given: bytes, expected: bytes) -> bool:
        compared.append(expected)
        return given == expected

    monkeypatch.setattr(hmac, "compare_digest", compare)

    believed(signed(claims()))

    assert NONCE.encode() in compared


def at_hash(access_token: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()[:16]).rstrip(b"=").decode()


def test_the_access_token_that_the_token_names_is_the_one_beside_it():
    assert believed(signed(claims(at_hash=at_hash("access"))), access_token="access").subject == "auth0|ben"


@pytest.mark.parametrize("given", [at_hash("another"), at_hash("access") + "=", "", 5])
def test_another_access_token_than_the_named_one_is_refused(given):
    assert reason_against(signed(claims(at_hash=given)), access_token="access") == "at_hash"


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "HS256", "RS384", "PS256", "ES256", "rs256", "", None, ["RS256"]]
)
def test_only_rs256_counts(algorithm):
    assert reason_against(signed(claims(), {"alg": algorithm})) == "not RS256"


@pytest.mark.parametrize("critical", [["exp"], ["b64"], [], "exp", False])
def test_what_we_do_not_know_and_is_critical_is_refused(critical):
    assert reason_against(signed(claims(), {"crit": critical})) == "asks for something that we do not know"


@pytest.mark.parametrize("kind", ["logout+jwt", "at+jwt", "application/at+jwt", "secevent+jwt", "JWE", 5, ["JWT"]])
def test_a_token_for_something_else_is_no_id_token(kind):
    assert reason_against(signed(claims(), {"typ": kind})) == "a token for something else"


@pytest.mark.parametrize("kind", ["JWT", "jwt", "application/jwt", None])
def test_a_token_says_that_it_is_a_token_or_nothing(kind):
    assert believed(signed(claims(), {"typ": kind})).subject == "auth0|ben"


def test_a_signature_by_another_key_is_refused():
    assert reason_against(signed(claims(), private=key(name="theirs"))) == "signature"


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_that_the_token_brings_along_is_not_used(member):
    theirs = key(name="theirs")
    brought = {"jwk": jwk(theirs), "jku": "https://evil.example/keys", "x5u": "https://evil.example/x", "x5c": ["MII"]}

    assert reason_against(signed(claims(), {member: brought[member]}, theirs)) == "signature"
    assert believed(signed(claims(), {member: brought[member]})).subject == "auth0|ben"


def test_a_token_without_the_keys_name_needs_exactly_one_key(keys):
    nameless = signed(claims(), {"kid": None})

    assert believed(nameless).subject == "auth0|ben"
    keys(jwk(), jwk(key(name="second"), kid="second"))
    assert reason_against(nameless) == "unknown key"


@pytest.mark.parametrize("kid", ["unknown", "", KID.upper()])
def test_an_unknown_key_is_refused(kid):
    assert reason_against(signed(claims(), {"kid": kid})) == "unknown key"


@pytest.mark.parametrize("kid", [5, [KID], {"kid": KID}, True])
def test_a_keys_name_is_a_text(kid):
    assert reason_against(signed(claims(), {"kid": kid})) == "the key's name is no text"


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "enc"},
        {"alg": "RS512"},
        {"alg": "HS256"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "EC"},
        {"key_ops": ["sign"]},
        {"d": "AQAB"},
        {"n": "AQAB"},
        {"n": 5},
        {"n": None},
        {"e": "AA"},
        {"kid": 5},
    ],
)
def test_a_key_for_something_else_verifies_nothing(keys, changes):
    keys(jwk(**changes))

    assert reason_against(signed(claims())) == "unknown key"


def test_a_short_key_verifies_nothing(keys):
    short = key(1024)
    keys(jwk(short))

    assert reason_against(signed(claims(), private=short)) == "unknown key"


def test_a_key_may_leave_its_use_and_algorithm_open(keys):
    keys(jwk(use=None, alg=None, key_ops=["verify"]))

    assert believed(signed(claims())).subject == "auth0|ben"


def test_two_keys_of_one_name_are_none(keys):
    keys(jwk(), jwk(key(name="second")))

    assert reason_against(signed(claims())) == "unknown key"


@pytest.mark.parametrize(
    "token",
    ["", "a.b", "a.b.c.d", "..", "a b.c.d", "é.b.c", "\ud800.b.c", "x" * 20_000, f"{'x' * 9000}.{'x' * 9000}.x"],
)
def test_what_is_no_compact_token_is_not_read(token):
    assert reason_against(token) == "not a compact token of a fair length"


def test_an_oversized_token_is_refused_before_anything_of_it_is_read(monkeypatch):
    monkeypatch.setattr(signed_tokens, "_part", lambda _: pytest.fail("it was read"))

    assert reason_against(signed(claims(padding="x" * 20_000))) == "not a compact token of a fair length"


def test_padding_is_no_part_of_a_compact_token():
    header, payload, signature = signed(claims()).split(".")

    assert reason_against(f"{header}.{payload}.{signature}==") == "not a compact token of a fair length"


TWICE = json.dumps(claims()).replace("{", '{"sub": "auth0|somebody-else", ', 1).encode()


@pytest.mark.parametrize("payload", [b"[]", b"5", b"null", b'"text"', b"{", b"\xff\xfe", b"[" * 7000, TWICE])
def test_claims_that_two_readers_could_read_differently_are_refused(payload):
    assert reason_against(signed(payload)) == "a part is no JSON object"


def test_a_header_that_names_its_algorithm_twice_is_refused():
    header = b'{"alg": "none", "alg": "RS256", "kid": "first"}'

    assert reason_against(signed(claims(), header)) == "a part is no JSON object"


@pytest.mark.parametrize("verified", ["true", 1, None, False, [True]])
def test_an_address_is_verified_by_the_boolean_true_alone(verified):
    assert believed(signed(claims(email_verified=verified))).is_email_verified is False


@pytest.mark.parametrize("address", ["\u212aim@elsewhere.example", "a\x00@b.example", ["a@b.example"], "x" * 255, 5])
def test_an_address_that_could_be_taken_for_another_is_none(address):
    assert believed(signed(claims(email=address))).email == ""
