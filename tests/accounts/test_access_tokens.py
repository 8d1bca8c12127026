"""Which access tokens are believed: genuine ones of our provider, for this API, for now."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from accounts import access_tokens
from accounts.bounded_http import Budget
from accounts.refusals import BAD_TOKEN, Refused
from tests.bearer import APPLICATION, AUDIENCE, ISSUER, access_token, claims_for, signer

pytestmark = pytest.mark.usefixtures("bearer")
BUDGET = Budget(600)


def test_a_token_as_auth0_makes_it_is_believed():
    token = access_token("auth0|1", header={"typ": "JWT"}, org_id="org_1")

    assert access_tokens.verified(token, BUDGET) == access_tokens.Access(ISSUER, "auth0|1", APPLICATION, "org_1")


def test_a_token_of_the_standard_is_believed():
    token = access_token("auth0|1", aud=AUDIENCE, azp=None, client_id="another-app")

    assert access_tokens.verified(token, BUDGET) == access_tokens.Access(ISSUER, "auth0|1", "another-app", "")


def refused(token: str) -> bool:
    with pytest.raises(Refused) as caught:
        access_tokens.verified(token, BUDGET)
    return caught.value.refusal is BAD_TOKEN


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": None},
        {"iss": ISSUER.rstrip("/")},
        {"iss": "https://issuer.example.evil.example/"},
        {"iss": ISSUER.upper()},
        {"aud": None},
        {"aud": []},
        {"aud": "marketedge-tests"},
        {"aud": f"{AUDIENCE}/"},
        {"aud": [AUDIENCE, "marketedge-tests"]},
        {"aud": [AUDIENCE, "https://another-api.example"]},
        {"aud": [AUDIENCE, ["x"]]},
        {"aud": {"x": AUDIENCE}},
        {"exp": None},
        {"exp": True},
        {"exp": 2**60},
        {"iat": None},
        {"iat": -5},
        {"sub": None},
        {"sub": ""},
        {"sub": 5},
        {"sub": "a\x00b"},
        {"sub": "x" * 256},
        {"azp": None},
        {"azp": ["single-page-app"]},
        {"azp": "one", "client_id": "two"},
        {"org_id": 5},
        {"nonce": "n"},
        {"at_hash": "h"},
        {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
    ],
    ids=str,
)
def test_a_claim_that_does_not_fit_is_refused(changes):
    assert refused(access_token("auth0|1", **changes))


@pytest.mark.parametrize(
    ("claim", "seconds", "kind"),
    [
        ("exp", -60, int),
        ("exp", 600, str),
        ("exp", 600.5, float),
        ("iat", 86_400, int),
        ("iat", 0, str),
        ("nbf", 86_400, int),
    ],
)
def test_a_time_that_does_not_fit_is_refused(claim, seconds, kind):
    assert refused(access_token("auth0|1", **{claim: kind(int(time.time()) + seconds)}))


@pytest.mark.parametrize(
    "header",
    [
        {"typ": None},
        {"typ": "logout+jwt"},
        {"typ": "id+jwt"},
        {"typ": "dpop+jwt"},
        {"typ": ["at+jwt"]},
        {"kid": "another"},
        {"kid": 5},
        {"crit": ["exp"]},
        {"crit": []},
    ],
    ids=str,
)
def test_a_header_that_does_not_fit_is_refused(header):
    assert refused(forged(header=header))


def forged(*, header: dict, signature: bytes | None = None) -> str:
    """Signed by the provider's key, with any header at all."""
    whole = {"alg": "RS256", "typ": "at+jwt", "kid": signer().kid, **header}
    whole = {name: value for name, value in whole.items() if value is not None}
    said = ".".join(part(content) for content in (whole, claims_for("auth0|1")))
    made = signer().key.sign(said.encode(), padding.PKCS1v15(), hashes.SHA256()) if signature is None else signature
    return f"{said}.{urlsafe_b64encode(made).rstrip(b'=').decode()}"


def part(content: dict) -> str:
    return urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def test_the_forger_of_these_tests_makes_good_tokens_too():
    assert access_tokens.verified(forged(header={}), BUDGET).subject == "auth0|1"


@pytest.mark.parametrize("alg", ["none", "HS256", "RS384", "PS256", "ES256"])
def test_only_rs256_is_taken(alg):
    assert refused(forged(header={"alg": alg}))


def test_a_secret_made_of_the_public_key_signs_nothing():
    public = signer().key.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "typ": "at+jwt", "kid": signer().kid}
    said = f"{part(header)}.{part(claims_for('auth0|1'))}"

    signature = hmac.new(pem, said.encode(), hashlib.sha256).digest()
    assert refused(f"{said}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}")


def test_another_key_of_the_same_name_signs_nothing():
    strangers = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    assert refused(access_token("auth0|1", key=strangers))


@pytest.mark.parametrize("signature", [b"", b"\x00" * 256])
def test_a_token_without_its_signature_is_refused(signature):
    assert refused(forged(header={}, signature=signature))


@pytest.mark.parametrize(
    "token", ["eyJ", "eyJ.eyJ", "eyJ.eyJ.x.y", "eyJhbGciOiJSUzI1NiJ9.bm8.eA", "eyJ." + "e" * 9000 + ".e"]
)
def test_what_is_no_token_is_refused(token):
    assert refused(token)


def test_an_application_that_is_not_on_the_list_is_refused(settings):
    settings.API_CLIENTS = ["another-app"]

    assert refused(access_token("auth0|1"))
    assert access_tokens.verified(access_token("auth0|1", azp="another-app"), BUDGET).client == "another-app"
