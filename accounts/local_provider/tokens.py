"""The provider's key, the id_tokens that it signs, and the faults that tests of the sign-in may ask for."""

import json
import secrets
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from accounts.demonstration import DemonstrationPerson

LIFETIME = 600


@dataclass(frozen=True)
class Faults:
    """What the provider does wrong; only objects in the same process can ask for it.

    `claims` replaces claims of the id_token (None takes one away): another `iss` or `aud`, an `exp` in the past, no
    `nonce`, `email_verified` as a text. `algorithm` and `kid` change the signature and the key's name, `token_status`
    the status of the token endpoint. `seconds_late` delays every answer; a mute provider accepts and never answers.
    """

    claims: tuple[tuple[str, Any], ...] = ()
    algorithm: str = "RS256"
    kid: str = ""
    is_mute: bool = False
    token_status: int = 200
    seconds_late: float = 0


@dataclass(frozen=True)
class Session:
    """Somebody signed in at the provider with one browser; `signed_in_at` in seconds since 1970."""

    person: DemonstrationPerson
    sid: str
    signed_in_at: float


class Signer:
    """One RSA key, made at start and kept in memory."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.kid = f"local-{secrets.token_hex(8)}"

    def jwks(self) -> dict[str, Any]:
        public = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": self.kid, "alg": "RS256", "use": "sig"}]}

    def sign(self, claims: dict[str, Any], faults: Faults) -> str:
        """A compact JWS of the claims; the faults may change them, the algorithm or the key's name."""
        changed = {**claims, **dict(faults.claims)}
        payload = {name: value for name, value in changed.items() if value is not None}
        key: Any = self.key if faults.algorithm == "RS256" else "a shared secret that is long enough for HMAC"
        return jwt.encode(payload, key, algorithm=faults.algorithm, headers={"kid": faults.kid or self.kid})


def claims_of(session: Session, *, issuer: str, client_id: str, nonce: str, now: float) -> dict[str, Any]:
    """The claims of an id_token, as Auth0 writes them; times in whole seconds since 1970."""
    return {
        "iss": issuer,
        "aud": client_id,
        "azp": client_id,
        "iat": int(now),
        "exp": int(now) + LIFETIME,
        "auth_time": int(session.signed_in_at),
        "nonce": nonce or None,
        "sid": session.sid,
        **profile_of(session.person),
    }


def profile_of(person: DemonstrationPerson) -> dict[str, Any]:
    """Who the person is, as /userinfo answers and an id_token repeats."""
    return {
        "sub": person.subject,
        "email": person.email,
        "email_verified": person.is_email_verified,
        "name": person.name,
        "given_name": person.given_name,
        "family_name": person.family_name,
    }
