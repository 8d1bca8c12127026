"""What a provider that lies can send: tokens signed with keys of ours, with anything in them."""

import json
import time
from base64 import urlsafe_b64encode
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.conf import settings
from jwt.algorithms import RSAAlgorithm

NONCE = "a-nonce-of-this-sign-in"
KID = "first"


@cache
def key(bits: int = 2048, name: str = "") -> RSAPrivateKey:
    """The same key for the same name, since making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def jwk(private: RSAPrivateKey | None = None, **changes: Any) -> dict[str, Any]:
    """The public key as the provider lists it; a change to None takes the member away."""
    public = json.loads(RSAAlgorithm.to_jwk((private or key()).public_key()))
    listed = {**public, "kid": KID, "alg": "RS256", "use": "sig", **changes}
    return {name: value for name, value in listed.items() if value is not None}


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good id_token; a change to None takes the claim away."""
    now = int(time.time())
    good = {
        "iss": settings.OIDC_ISSUER,
        "sub": "auth0|ben",
        "aud": settings.OIDC_RP_CLIENT_ID,
        "iat": now,
        "exp": now + 600,
        "nonce": NONCE,
        "email": "ben@lumen-cinemas.example",
        "email_verified": True,
        "name": "Ben Castellan",
        "sid": "session-1",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def signed(
    payload: dict[str, Any] | bytes, header: dict[str, Any] | bytes | None = None, private: RSAPrivateKey | None = None
) -> str:
    """A compact token; header members that are None are taken away, and bytes are signed as they are."""
    if header is None or isinstance(header, dict):
        whole = {"alg": "RS256", "typ": "JWT", "kid": KID, **(header or {})}
        header = _json({name: value for name, value in whole.items() if value is not None})
    body = payload if isinstance(payload, bytes) else _json(payload)
    text = f"{_encoded(header)}.{_encoded(body)}"
    signature = RSAAlgorithm(RSAAlgorithm.SHA256).sign(text.encode(), private or key())
    return f"{text}.{_encoded(signature)}"


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
