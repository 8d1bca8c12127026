"""The provider's keys: one that signs, and those before it, published until what they signed has expired."""

import json
import secrets
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

if TYPE_CHECKING:
    from accounts.local_provider.tokens import Faults

KEPT = 2  # former keys that stay published


class Key:
    """An RSA key with its name."""

    def __init__(self) -> None:
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.kid = f"local-{secrets.token_hex(8)}"

    @property
    def published(self) -> dict[str, Any]:
        public = json.loads(RSAAlgorithm.to_jwk(self.private.public_key()))
        return {**public, "kid": self.kid, "alg": "RS256", "use": "sig"}


class Signer:
    """Signs with the newest key; all are made here and kept in memory."""

    def __init__(self) -> None:
        self.keys = [Key()]

    @property
    def kid(self) -> str:
        return self.keys[0].kid

    @property
    def key(self) -> rsa.RSAPrivateKey:
        return self.keys[0].private

    def rotate(self) -> None:
        """Sign with a new key; those before it stay published, so that what they signed is still believed."""
        self.keys = [Key(), *self.keys[:KEPT]]

    def forget(self) -> None:
        """Publish the newest key alone, as after a theft."""
        self.keys = self.keys[:1]

    def jwks(self) -> dict[str, Any]:
        return {"keys": [key.published for key in self.keys]}

    def sign(self, claims: dict[str, Any], faults: "Faults | None" = None, *, kind: str = "JWT") -> str:
        """A compact JWS of the claims that are not None; faults may change claims, algorithm and the key's name."""
        changed = {**claims, **dict(faults.claims if faults else ())}
        payload = {name: value for name, value in changed.items() if value is not None}
        algorithm = faults.algorithm if faults else "RS256"
        key: Any = self.key if algorithm == "RS256" else "a shared secret that is long enough for HMAC"
        return jwt.encode(payload, key, algorithm, {"kid": (faults and faults.kid) or self.kid, "typ": kind})
