"""Is this access token genuine, from our provider, for this API and fresh? (RFC 9068, RFC 8725; shapes as Auth0's)

Nothing but an access token passes: an id_token is for the application, a logout_token has another type.
"""

import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from accounts import provider
from accounts.refusals import BAD_TOKEN, Refused

LONGEST = 8 * 1024
LEEWAY = 30  # seconds that the provider's clock may differ from ours
LATEST = 2**40  # seconds since 1970; beyond lies no date that anybody means
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
TYPES = {"at+jwt", "jwt"}  # the standard's, and what Auth0 writes unless it is told to follow the standard
REQUIRED = ["iss", "sub", "aud", "exp", "iat"]
OF_OTHER_TOKENS = {"nonce", "at_hash", "c_hash", "events"}


@dataclass(frozen=True)
class Access:
    """What is believed of the token: who may act, by which application, and for which organisation of the provider."""

    issuer: str
    subject: str
    client: str
    organisation: str


def verified(token: str) -> Access:
    """Refused with a reason for the log unless everything fits."""
    import jwt

    if len(token) > LONGEST or not COMPACT.fullmatch(token):
        raise Refused(BAD_TOKEN, "not a compact token of a fair length")
    try:
        header = jwt.get_unverified_header(token)
        _require_header(header)
        claims = jwt.decode(
            token,
            jwt.PyJWK(provider.key_store.key(header["kid"]), algorithm="RS256"),
            algorithms=["RS256"],
            audience=settings.API_AUDIENCE,
            issuer=settings.OIDC_ISSUER,
            leeway=LEEWAY,
            options={"require": REQUIRED},
        )
    except (jwt.PyJWTError, ValueError, RecursionError) as fault:
        raise Refused(BAD_TOKEN, type(fault).__name__) from fault
    _require_times(claims)
    _require_for_this_api(claims)
    return Access(claims["iss"], _text(claims, "sub"), _client(claims), _organisation(claims))


def _require_header(header: dict[str, Any]) -> None:
    """Keys that the token brings along (jwk, jku, x5u, x5c) are not looked at."""
    if header.get("alg") != "RS256":
        raise Refused(BAD_TOKEN, "not RS256")
    if "crit" in header:
        raise Refused(BAD_TOKEN, "asks for something that we do not know")
    kind = header.get("typ")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in TYPES:
        raise Refused(BAD_TOKEN, "a token for something else")
    if not isinstance(header.get("kid"), str):
        raise Refused(BAD_TOKEN, "does not name its key")


def _require_times(claims: dict[str, Any]) -> None:
    """Whole seconds within our era; whether they have passed is decided already."""
    for name in ("exp", "iat"):
        # True is an int to Python.
        if type(claims[name]) is not int or not 0 < claims[name] < LATEST:
            raise Refused(BAD_TOKEN, f"{name} is no moment")


def _require_for_this_api(claims: dict[str, Any]) -> None:
    # Auth0 adds its own userinfo to the audiences of whoever signed in.
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if not set(audiences) <= {settings.API_AUDIENCE, settings.OIDC_OP_USER_ENDPOINT}:
        raise Refused(BAD_TOKEN, "another audience beside us")
    if OF_OTHER_TOKENS & set(claims):
        raise Refused(BAD_TOKEN, "not an access token")


def _client(claims: dict[str, Any]) -> str:
    """The application that the token was given to: Auth0 calls it `azp`, the standard `client_id`."""
    named = {_text(claims, name) for name in ("azp", "client_id") if name in claims}
    if len(named) != 1:
        raise Refused(BAD_TOKEN, "no application, or two")
    client = named.pop()
    if settings.API_CLIENTS and client not in settings.API_CLIENTS:
        raise Refused(BAD_TOKEN, "an application that is not on the list")
    return client


def _organisation(claims: dict[str, Any]) -> str:
    return _text(claims, "org_id") if "org_id" in claims else ""


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims[name]
    if not isinstance(value, str) or not 0 < len(value) <= 255 or not value.isprintable():
        raise Refused(BAD_TOKEN, f"{name} is no text")
    return value
