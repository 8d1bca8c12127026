"""Is this token genuine, from our provider, for us and fresh? What id_tokens, logout_tokens and access tokens share.

(RFC 7515, RFC 7519, RFC 8725, OpenID Connect Core 3.1.3.7)
"""

import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Container
from typing import Any

from django.conf import settings

from accounts import strict_json
from accounts.bounded_http import Budget, NoAnswer
from accounts.provider_keys import key_store
from accounts.refusals import BAD_TOKEN, PROVIDER_DOWN, Refused

LONGEST = 16 * 1024
LEEWAY = 30  # seconds that the provider's clock may differ from ours
YOUNGEST = 600  # seconds since a token was made, at most
LATEST = 2**40  # seconds since 1970; beyond lies no date that anybody means
MADE_AT_ANOTHER_TIME = "made too long ago, or in the future"
COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


def verified(token: str, budget: Budget, *, types: Container[str]) -> dict[str, Any]:
    """The claims of a token for us as a client, made just now; Refused with a reason for the log unless all fits."""
    claims = genuine(token, budget, types=types)
    _require_audience(claims)
    if moment(claims, "iat") < time.time() - YOUNGEST - LEEWAY:
        raise Refused(BAD_TOKEN, MADE_AT_ANOTHER_TIME)
    return claims


def genuine(token: str, budget: Budget, *, types: Container[str]) -> dict[str, Any]:
    """The claims of a token that our provider signed and that is valid now, whomever it is for; else Refused.

    `types` are the `typ`s that it may have.
    """
    parts = _parts(token)
    if parts is None:
        raise Refused(BAD_TOKEN, "not a compact token of a fair length")
    header = _part(parts[1])
    _require_header(header, types)
    _require_signature(f"{parts[1]}.{parts[2]}", _bytes(parts[3]), header.get("kid"), budget)
    claims = _part(parts[2])
    if claims.get("iss") != settings.OIDC_ISSUER:
        raise Refused(BAD_TOKEN, "another issuer")
    _require_times(claims, now=time.time())
    return claims


def is_soon_verified(token: str) -> bool:
    """Whether nobody has to wait for the provider's keys: the token's is at hand, or none will be looked for."""
    parts = _parts(token)
    try:
        return parts is None or key_store.is_at_hand(_part(parts[1]).get("kid"))
    except Refused:
        return True


def _parts(token: str) -> re.Match[str] | None:
    return COMPACT.fullmatch(token) if len(token) <= LONGEST else None


def _part(encoded: str) -> dict[str, Any]:
    try:
        return strict_json.read_object(_bytes(encoded))
    except ValueError as fault:
        raise Refused(BAD_TOKEN, "a part is no JSON object") from fault


def _bytes(encoded: str) -> bytes:
    try:
        return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except ValueError as fault:
        raise Refused(BAD_TOKEN, "a part is no base64url") from fault


def _require_header(header: dict[str, Any], types: Container[str]) -> None:
    """Keys that the token brings along (jwk, jku, x5u, x5c) are not looked at."""
    if header.get("alg") != "RS256":
        raise Refused(BAD_TOKEN, "not RS256")
    if "crit" in header:
        raise Refused(BAD_TOKEN, "asks for something that we do not know")
    kind = header.get("typ", "")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in types:
        raise Refused(BAD_TOKEN, "a token for something else")
    if "kid" in header and not isinstance(header["kid"], str):
        raise Refused(BAD_TOKEN, "the key's name is no text")


def _require_signature(signed: str, signature: bytes, kid: str | None, budget: Budget) -> None:
    from jwt.algorithms import RSAAlgorithm

    try:
        key = key_store.key(kid, budget)
    except NoAnswer as fault:
        raise Refused(PROVIDER_DOWN, str(fault)) from fault
    if not RSAAlgorithm(RSAAlgorithm.SHA256).verify(signed.encode(), key, signature):
        raise Refused(BAD_TOKEN, "signature")


def _require_audience(claims: dict[str, Any]) -> None:
    client = settings.OIDC_RP_CLIENT_ID
    if claims.get("aud") not in (client, [client]):
        raise Refused(BAD_TOKEN, "another audience, or one beside us")
    if claims.get("azp", client) != client:
        raise Refused(BAD_TOKEN, "another authorized party")


def _require_times(claims: dict[str, Any], *, now: float) -> None:
    if moment(claims, "exp") <= now - LEEWAY:
        raise Refused(BAD_TOKEN, "expired")
    if moment(claims, "iat") > now + LEEWAY:
        raise Refused(BAD_TOKEN, MADE_AT_ANOTHER_TIME)
    if "nbf" in claims and moment(claims, "nbf") > now + LEEWAY:
        raise Refused(BAD_TOKEN, "not valid yet")


def moment(claims: dict[str, Any], name: str) -> int:
    """A claim that must be there as whole seconds since 1970."""
    value = claims.get(name)
    # True is an int to Python.
    if type(value) is not int or not 0 < value < LATEST:
        raise Refused(BAD_TOKEN, f"{name} is no moment")
    return value


def text(claims: dict[str, Any], name: str, longest: int = 255) -> str:
    """A claim that must be there as a printable text of a fair length."""
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise Refused(BAD_TOKEN, f"{name} is no text")
    return value
