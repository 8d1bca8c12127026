"""Access tokens as the provider makes them, and its keys as if they had been asked for already."""

import time
from functools import cache
from typing import Any

import jwt

from accounts.bounded_http import Budget
from accounts.local_provider.tokens import Signer
from accounts.refusals import BAD_TOKEN, Refused

AUDIENCE = "https://api.marketedge.example"
ISSUER = "https://issuer.example/"
APPLICATION = "single-page-app"


@cache
def signer() -> Signer:
    return Signer()


class KnownKeys:
    def key(self, kid: str | None, budget: Budget) -> Any:
        if kid != signer().kid:
            raise Refused(BAD_TOKEN, "unknown key")
        return signer().key.public_key()

    def is_at_hand(self, kid: str | None) -> bool:
        return kid == signer().kid


def claims_for(subject: str, **changes: Any) -> dict[str, Any]:
    """As Auth0 writes them for somebody who signed in; None takes a claim away."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "sub": subject,
        "aud": [AUDIENCE, f"{ISSUER}userinfo"],
        "iat": now,
        "exp": now + 600,
        "azp": APPLICATION,
        "scope": "openid profile email",
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def access_token(subject: str, *, header: dict[str, Any] | None = None, key: Any = None, **changes: Any) -> str:
    named = {"typ": "at+jwt", "kid": signer().kid, **(header or {})}
    algorithm = named.pop("alg", "RS256")
    return jwt.encode(claims_for(subject, **changes), key or signer().key, algorithm=algorithm, headers=named)


def authorization(subject: str, **changes: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {access_token(subject, **changes)}"}
