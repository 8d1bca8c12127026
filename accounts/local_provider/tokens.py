"""The provider's key and the id_tokens that it signs."""

import json
import time
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from accounts.demonstration import DemonstrationPerson

LIFETIME = 600


@dataclass(frozen=True)
class Faults:
    """What the provider does wrong, for tests of the sign-in; `claims` replaces claims (None takes one away)."""

    claims: tuple[tuple[str, Any], ...] = ()
    algorithm: str = "RS256"
    kid: str = ""
    is_mute: bool = False
    token_status: int = 200


class Signer:
    """One RSA key, made at start and kept in memory."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.kid = f"local-{int(time.time())}"

    def jwks(self) -> dict[str, Any]:
        public = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": self.kid, "alg": "RS256", "use": "sig"}]}

    def sign(self, claims: dict[str, Any], faults: Faults) -> str:
        """A compact JWS of the claims; the faults may change them, the algorithm or the key's name."""
        changed = {**claims, **dict(faults.claims)}
        payload = {name: value for name, value in changed.items() if value is not None}
        key: Any = self.key if faults.algorithm == "RS256" else "a shared secret that is long enough for HMAC"
        return jwt.encode(payload, key, algorithm=faults.algorithm, headers={"kid": faults.kid or self.kid})


def claims_of(person: DemonstrationPerson, *, issuer: str, client_id: str, nonce: str, sid: str) -> dict[str, Any]:
    """The claims of an id_token, as Auth0 writes them; times in seconds since 1970."""
    now = int(time.time())
    return {
        "iss": issuer,
        "sub": person.subject,
        "aud": client_id,
        "azp": client_id,
        "iat": now,
        "exp": now + LIFETIME,
        "auth_time": now,
        "nonce": nonce or None,
        "sid": sid,
        "email": person.email,
        "email_verified": person.is_email_verified,
        "name": person.name,
        "given_name": person.given_name,
        "family_name": person.family_name,
    }
