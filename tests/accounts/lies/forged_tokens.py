"""Tokens that the provider did not make, or made for something else: each makes one from the truth."""

import hashlib
import hmac
import json
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from tests.accounts import lying
from tests.accounts.lies.world import SUBJECT, Truth

Forge = Callable[[Truth], Any]


def encoded(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(text).rstrip(b"=").decode()


def attackers_key() -> Any:
    return lying.key(name="the attacker's")


@cache
def curve_key() -> Any:
    return ec.generate_private_key(ec.SECP256R1())


def pem(kind: Encoding = Encoding.PEM) -> bytes:
    """Our provider's public key as a file, which everybody can have."""
    return lying.key().public_key().public_bytes(kind, PublicFormat.SubjectPublicKeyInfo)


def unsigned(algorithm: Any, signature: str = "") -> Forge:
    return lambda truth: f"{encoded({'alg': algorithm, 'typ': 'JWT'})}.{encoded(truth.claims())}.{signature}"


def by_secret(secret: Callable[[], bytes], algorithm: str = "HS256") -> Forge:
    """Signed with something that is no secret, in the hope that the key decides how it is used."""
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]

    def forge(truth: Truth) -> str:
        text = f"{encoded({'alg': algorithm, 'typ': 'JWT', 'kid': lying.KID})}.{encoded(truth.claims())}"
        return f"{text}.{encoded(hmac.new(secret(), text.encode(), digest).digest())}"

    return forge


def by_algorithm(algorithm: str, key: Callable[[], Any]) -> Forge:
    return lambda truth: jwt.encode(truth.claims(), key(), algorithm, {"kid": lying.KID})


def with_header(**members: Any) -> Forge:
    """Honest, but for its header."""
    return lambda truth: truth.token(header=members)


def by_attacker(**members: Any) -> Forge:
    """Signed by the attacker, whose key the header brings along."""
    return lambda truth: truth.token(header=members, key=attackers_key())


def with_raw_header(header: bytes) -> Forge:
    return lambda truth: truth.token(header=header)


def with_raw_claims(text: Callable[[Truth], bytes]) -> Forge:
    """Signed honestly, whatever it is."""
    return lambda truth: lying.signed(text(truth))


def bent(bend: Callable[[str], str]) -> Forge:
    """An honest token, damaged on the way."""
    return lambda truth: bend(truth.token())


def without_signature(token: str) -> str:
    return token.rsplit(".", 1)[0] + "."


def with_signature_of_another(truth: Truth) -> str:
    return f"{truth.token({'sub': 'auth0|vera'}).rsplit('.', 1)[0]}.{truth.token().rsplit('.', 1)[1]}"


def flipped(token: str) -> str:
    """One letter of the claims changed."""
    head, claims, signature = token.split(".")
    middle = len(claims) // 2
    return f"{head}.{claims[:middle]}{'A' if claims[middle] != 'A' else 'B'}{claims[middle + 1 :]}.{signature}"


def claims_with(text: str) -> Callable[[Truth], bytes]:
    """The honest claims with this text before the last bracket."""
    return lambda truth: json.dumps(truth.claims()).encode()[:-1] + text.encode() + b"}"


def logout_token(truth: Truth) -> str:
    events: dict[str, Any] = {"http://schemas.openid.net/event/backchannel-logout": {}}
    return truth.token({"events": events, "nonce": None, "jti": "j"}, {"typ": "logout+jwt"})


NAMES = ["none", "None", "NONE", "nOnE"]
FORGED: dict[str, Forge] = {
    **{f"alg {name}": unsigned(name) for name in NAMES},
    "alg empty": unsigned(""),
    "alg null": unsigned(None),
    "alg a number": unsigned(5),
    "alg a list": unsigned(["RS256"]),
    "alg an object": unsigned({"RS256": True}),
    "alg none with a signature": unsigned("none", "AAAA"),
    "alg RS256 without signature": unsigned("RS256"),
    "alg in small letters": with_header(alg="rs256"),
    "alg missing": with_header(alg=None),
    "HMAC with the public key as PEM": by_secret(pem),
    "HMAC with the public key as DER": by_secret(lambda: pem(Encoding.DER)),
    "HMAC with the public key without its last line": by_secret(lambda: pem().rstrip()),
    "HMAC with the key's modulus": by_secret(lambda: lying.jwk()["n"].encode()),
    "HMAC with our client secret": by_secret(lambda: settings.OIDC_RP_CLIENT_SECRET.encode()),
    "HMAC with an empty secret": by_secret(lambda: b""),
    "HS384": by_secret(pem, "HS384"),
    "HS512": by_secret(pem, "HS512"),
    "RS384 by the right key": by_algorithm("RS384", lying.key),
    "RS512 by the right key": by_algorithm("RS512", lying.key),
    "PS256 by the right key": by_algorithm("PS256", lying.key),
    "ES256": by_algorithm("ES256", curve_key),
    "EdDSA": by_algorithm("EdDSA", ed25519.Ed25519PrivateKey.generate),
    "another key under the right name": by_attacker(),
    "another key without a name": by_attacker(kid=None),
    "a signature taken off": bent(without_signature),
    "a signature cut short": bent(lambda token: token[:-40]),
    "a signature of zeros": bent(lambda token: f"{token.rsplit('.', 1)[0]}.{'A' * 342}"),
    "a signature of another token": with_signature_of_another,
    "a letter changed": bent(flipped),
    "two parts": bent(lambda token: token.rsplit(".", 1)[0]),
    "four parts": bent(lambda token: f"{token}.AAAA"),
    "five parts": bent(lambda token: f"{token}.AAAA.AAAA"),
    "no parts": bent(lambda token: token.replace(".", "")),
    "only dots": bent(lambda token: ".."),
    "padding": bent(lambda token: f"{token}=="),
    "a new line inside": bent(lambda token: token.replace(".", ".\n", 1)),
    "a space before": bent(lambda token: f" {token}"),
    "a space after": bent(lambda token: f"{token} "),
    "letters of base64 that are none of base64url": bent(lambda token: f"{token[:-2]}+/"),
    "letters beyond ASCII": bent(lambda token: f"{token}\u0435"),
    "half a surrogate pair": bent(lambda token: f"{token}\ud800"),
    "a megabyte": bent(lambda token: f"{token}{'A' * 200_000}"),
    "the attacker's key inside": lambda truth: by_attacker(kid="x", jwk=lying.jwk(attackers_key()))(truth),
    "an address of keys": lambda truth: by_attacker(jku=f"{settings.OIDC_ISSUER}attackers-keys")(truth),
    "an address of keys elsewhere": by_attacker(jku="https://evil.example/keys"),
    "an address of a certificate": by_attacker(x5u="https://evil.example/certificate"),
    "a certificate": by_attacker(x5c=[b64encode(b"certificate").decode()]),
    "a certificate's thumbprint": by_attacker(**{"x5t#S256": "AAAA"}),
    "crit with something unknown": with_header(crit=["exp"], exp=1),
    "crit with b64": with_header(crit=["b64"], b64=False),
    "crit empty": with_header(crit=[]),
    "crit null": with_raw_header(json.dumps({"alg": "RS256", "kid": lying.KID, "crit": None}).encode()),
    "crit a text": with_header(crit="exp"),
    "typ of a logout token": with_header(typ="logout+jwt"),
    "typ of an access token": with_header(typ="at+jwt"),
    "typ of an access token in full": with_header(typ="application/at+jwt"),
    "typ of an event": with_header(typ="secevent+jwt"),
    "typ of a request": with_header(typ="oauth-authz-req+jwt"),
    "typ a number": with_header(typ=5),
    "typ a list": with_header(typ=["JWT"]),
    "a header that is no JSON": with_raw_header(b"alg=RS256"),
    "a header that is a list": with_raw_header(b'["RS256"]'),
    "a header that is null": with_raw_header(b"null"),
    "a header that says alg twice": with_raw_header(b'{"alg":"none","alg":"RS256","kid":"first"}'),
    "a header that is no UTF-8": with_raw_header(b'{"alg":"RS256","kid":"first","x":"\xff"}'),
    "a header in UTF-16": with_raw_header('{"alg":"RS256","kid":"first"}'.encode("utf-16")),
    "a header nested without end": with_raw_header(b"[" * 4000),
    "a header with NaN": with_raw_header(b'{"alg":"RS256","kid":"first","x":NaN}'),
    "claims that are a list": with_raw_claims(lambda truth: json.dumps([truth.claims()]).encode()),
    "claims that are a text": with_raw_claims(lambda truth: json.dumps(json.dumps(truth.claims())).encode()),
    "claims that are null": with_raw_claims(lambda truth: b"null"),
    "claims that are nothing": with_raw_claims(lambda truth: b" "),
    "claims that are no JSON": with_raw_claims(lambda truth: b"sub=auth0|ben"),
    "claims cut off": with_raw_claims(lambda truth: json.dumps(truth.claims()).encode()[:-5]),
    "claims with a tail": with_raw_claims(lambda truth: json.dumps(truth.claims()).encode() + b"{}"),
    "claims in UTF-16": with_raw_claims(lambda truth: json.dumps(truth.claims()).encode("utf-16")),
    "claims with a mark of their encoding": with_raw_claims(
        lambda t: b"\xef\xbb\xbf" + json.dumps(t.claims()).encode()
    ),
    "claims that are no UTF-8": with_raw_claims(lambda t: json.dumps(t.claims()).encode()[:-1] + b', "x": "\xff"}'),
    "claims nested without end": with_raw_claims(lambda truth: b'{"sub":' + b"[" * 4000),
    "claims with a number of five thousand digits": with_raw_claims(claims_with(f', "x": {"9" * 5000}')),
    "claims with infinity": with_raw_claims(claims_with(', "x": Infinity')),
    "sub said twice": with_raw_claims(claims_with(', "sub": "auth0|vera"')),
    "iss said twice": with_raw_claims(claims_with(f', "iss": "{"https://evil.example/"}"')),
    "aud said twice": with_raw_claims(claims_with(', "aud": "somebody-else"')),
    "exp said twice": with_raw_claims(claims_with(f', "exp": {int(time.time()) + 9999}')),
    "nonce said twice": with_raw_claims(claims_with(', "nonce": "x"')),
    "email_verified said twice": with_raw_claims(claims_with(', "email_verified": true')),
    "a logout token": logout_token,
    "a logout token of no kind": lambda truth: truth.token({"events": {}, "nonce": None}),
    "an access token": lambda truth: truth.token({"aud": ["https://api.example/"], "nonce": None}, {"typ": "at+jwt"}),
    "an access token of no kind": lambda truth: truth.token({"aud": "https://api.example/", "nonce": None}),
    "an id_token of another application": lambda truth: truth.token({"aud": "other", "azp": "other"}),
    "an answer of /userinfo": lambda truth: lying.signed({"sub": SUBJECT, "iss": settings.OIDC_ISSUER, "aud": "us"}),
    "an opaque text": lambda truth: "an-opaque-access-token",
}
KIDS: dict[str, Any] = {
    "unknown": "second",
    "empty": "",
    "a path": "../../../../dev/null",
    "an absolute path": "/dev/null",
    "an address": "https://evil.example/key",
    "SQL": "' UNION SELECT 'key' --",
    "a command": "$(id)",
    "in capitals": "FIRST",
    "with a space": "first ",
    "with NUL": "first\x00",
    "of a thousand letters": "f" * 9000,
    "a number": 0,
    "a list": ["first"],
    "an object": {"kid": "first"},
    "true": True,
}
FORGED |= {f"kid {name}": with_header(kid=kid) for name, kid in KIDS.items()}
FORGED["kid null"] = with_raw_header(json.dumps({"alg": "RS256", "kid": None}).encode())
