"""What is honest gets in, however a provider may put it; and after a lie the truth does, without a restart."""

import json
import time

import pytest

from accounts.local_provider.tokens import hash_of
from accounts.models import User
from tenants import scope
from tests.accounts import lying
from tests.accounts.lies.answers import BROKEN, SLOW
from tests.accounts.lies.conftest import as_json
from tests.accounts.lies.test_lies import of_body, of_claims, of_keys, of_token
from tests.accounts.lies.world import ADDRESS, everybody
from tests.accounts.talking import answer

pytestmark = pytest.mark.django_db

HONEST = {
    "as usual": lambda truth: {},
    "for us in a list": lambda truth: {"aud": [truth.claims()["aud"]]},
    "with azp": lambda truth: {"azp": truth.claims()["aud"]},
    "with the hash of its access token": lambda truth: {"at_hash": hash_of(truth.access_token)},
    "made with a clock before ours": lambda truth: {"iat": int(time.time()) + 25},
    "just expired by our clock": lambda truth: {"exp": int(time.time()) - 25},
    "valid from now": lambda truth: {"nbf": int(time.time())},
    "with claims that nobody knows": lambda truth: {"x": [1, {"y": None}], "amr": ["mfa"], "acr": "0"},
    "without address": lambda truth: {"email": None, "email_verified": None},
    "with an address that is not verified": lambda truth: {"email_verified": False},
    "without session": lambda truth: {"sid": None},
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_token_lets_its_person_in(stranger, hears, name):
    came = hears(stranger, of_claims(HONEST[name]))

    assert (came.status_code, came.headers.get("Location")) == (302, "/")
    assert User.objects.get(pk=stranger.who_is_in).email == "ben.castellan@elsewhere.example"


@pytest.mark.parametrize(
    "header", [{"typ": None}, {"typ": "jwt"}, {"typ": "application/jwt"}, {"x": "y"}, {"kid": None}]
)
def test_an_honest_header_lets_its_person_in(stranger, hears, header):
    hears(stranger, of_token(lambda truth: truth.token(header=header)))

    assert stranger.who_is_in


@pytest.mark.parametrize(
    "kind",
    ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=UTF-8"],
)
def test_an_honest_answer_may_say_its_encoding(stranger, hears, kind):
    hears(stranger, lambda truth: answer(json.dumps(truth.body()).encode(), kind=kind))

    assert stranger.who_is_in


def test_an_honest_answer_may_come_in_chunks(stranger, hears):
    def chunked(truth):
        body = json.dumps(truth.body()).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:9], body[9:])) + b"0\r\n\r\n"

    hears(stranger, chunked)

    assert stranger.who_is_in


def test_a_provider_may_publish_keys_of_other_kinds_too(stranger, hears):
    others = [{"kty": "oct", "k": "AAAA"}, {"kty": "RSA"}, None, "x", lying.jwk(use="enc", kid="other")]

    hears(stranger, keys=lambda truth: as_json({"keys": [*others, lying.jwk()]}))

    assert stranger.who_is_in


def test_a_newcomer_with_the_invited_address_gets_in(stranger, hears):
    people, identities = everybody()

    hears(stranger, of_claims(lambda truth: {"sub": "auth0|newcomer", "email": ADDRESS.upper()}))

    assert (stranger.who_is_in is not None, everybody()) == (True, (people + 1, identities + 1))


def test_no_claim_makes_anybody_mighty(stranger, hears):
    mighty = {"is_superuser": True, "is_staff": True, "roles": ["admin"], "role": "super_admin", "org_role": "admin"}

    hears(stranger, of_claims(lambda truth: {**mighty, "org_id": "org_lumen"}))

    person = User.objects.get(pk=stranger.who_is_in)
    with scope.login():
        roles = [seat.role for seat in person.memberships.all()]
    assert (person.is_staff, person.is_superuser, roles) == (False, False, ["viewer"])


@pytest.mark.parametrize("where", ["tokens", "keys"])
@pytest.mark.parametrize("name", ["status 500", "HTML", "empty", "three megabytes", "a gzip bomb", "nothing"])
def test_after_a_broken_answer_the_truth_lets_people_in_without_a_restart(stranger, hears, monkeypatch, name, where):
    monkeypatch.setattr("accounts.provider_keys.FAILURE_COOL_DOWN", 0)
    hears(stranger, **{where: (of_body if where == "tokens" else of_keys)(BROKEN[name])})
    assert stranger.who_is_in is None

    hears(stranger)

    assert stranger.who_is_in


def test_after_a_silence_the_truth_lets_people_in_without_a_restart(stranger, hears, settings, monkeypatch):
    monkeypatch.setattr("accounts.provider_keys.FAILURE_COOL_DOWN", 0)
    settings.OIDC_TIMEOUT = 0.3
    hears(stranger, keys=of_keys(SLOW["silent"]))
    assert stranger.who_is_in is None
    settings.OIDC_TIMEOUT = 2

    hears(stranger)

    assert stranger.who_is_in


def test_a_key_that_is_new_is_found_by_its_name(stranger, hears):
    hears(stranger)
    fresh = lying.key(name="fresh")

    came = hears(
        stranger,
        of_token(lambda truth: truth.token(header={"kid": "fresh"}, key=fresh)),
        lambda truth: as_json({"keys": [lying.jwk(fresh, kid="fresh")]}),
    )

    assert (came.status_code, came.headers.get("Location")) == (302, "/")


def test_while_keys_cannot_be_had_those_that_are_known_serve(stranger, hears, monkeypatch):
    hears(stranger)
    monkeypatch.setattr("accounts.provider_keys.FRESH", 0)

    came = hears(stranger, keys=of_keys(BROKEN["status 503"]))

    assert (came.status_code, came.headers.get("Location")) == (302, "/")
