"""Is this id_token genuine, ours, fresh and an answer to our question? (OpenID Connect Core 3.1.3.7, RFC 8725)"""

import hmac
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from accounts.provider import key_store
from accounts.refusals import BAD_TOKEN, Refused

LEEWAY = 30
REQUIRED = ["iss", "sub", "aud", "exp", "iat"]


@dataclass(frozen=True)
class Claims:
    """What is believed of the token. An address counts only when its verification is the boolean true."""

    issuer: str
    subject: str
    email: str
    is_email_verified: bool
    name: str


def verified_claims(token: str, *, nonce: str) -> Claims:
    """Refused with a reason for the log, unless signature, issuer, audience, times and nonce all fit."""
    import jwt

    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") != "RS256":
            raise Refused(BAD_TOKEN, "not RS256")
        payload = jwt.decode(
            token,
            jwt.PyJWK(key_store.key(str(header.get("kid", ""))), algorithm="RS256"),
            algorithms=["RS256"],
            audience=settings.OIDC_RP_CLIENT_ID,
            issuer=settings.OIDC_ISSUER,
            leeway=LEEWAY,
            options={"require": REQUIRED},
        )
    except jwt.PyJWTError as fault:
        raise Refused(BAD_TOKEN, type(fault).__name__) from fault
    _require_for_us_alone(payload)
    _require_nonce(payload, nonce)
    return _claims(payload)


def _require_for_us_alone(payload: dict[str, Any]) -> None:
    client = settings.OIDC_RP_CLIENT_ID
    if payload["aud"] not in (client, [client]):
        raise Refused(BAD_TOKEN, "another audience beside us")
    if payload.get("azp", client) != client:
        raise Refused(BAD_TOKEN, "another authorized party")


def _require_nonce(payload: dict[str, Any], nonce: str) -> None:
    given = payload.get("nonce")
    if not nonce or not isinstance(given, str) or not hmac.compare_digest(_bytes(given), _bytes(nonce)):
        raise Refused(BAD_TOKEN, "nonce")


def _claims(payload: dict[str, Any]) -> Claims:
    subject = payload["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
        raise Refused(BAD_TOKEN, "subject")
    return Claims(
        issuer=payload["iss"],
        subject=subject,
        email=_address(payload.get("email")),
        is_email_verified=payload.get("email_verified") is True,
        name=_name(payload.get("name")),
    )


def _address(value: Any) -> str:
    """Empty unless plain ASCII: ignoring case makes equals of K and the Kelvin sign, which only look alike."""
    is_plain = isinstance(value, str) and value.isascii() and value.isprintable() and len(value) <= 254
    return value.strip() if is_plain else ""


def _name(value: Any) -> str:
    return "".join(filter(str.isprintable, value)).strip()[:200] if isinstance(value, str) else ""


def _bytes(value: str) -> bytes:
    # JSON can hold half a surrogate pair, which is no text in UTF-8.
    return value.encode(errors="replace")
