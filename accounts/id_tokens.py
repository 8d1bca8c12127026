"""Is this id_token an answer to our question, and whom is it about? (OpenID Connect Core 3.1.3.7)"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from accounts import addresses, signed_tokens
from accounts.bounded_http import Budget
from accounts.provider import Tokens
from accounts.refusals import BAD_TOKEN, Refused

# Auth0 and most others say JWT, some nothing; a logout_token or an access token says what it is.
TYPES = {"", "jwt"}


@dataclass(frozen=True)
class Claims:
    """What is believed of the token. An address counts only when its verification is the boolean true.

    `organisation_id` is the provider's name for the organisation that was signed in to, `session_id` for the session.
    """

    issuer: str
    subject: str
    email: str
    is_email_verified: bool
    name: str
    organisation_id: str = ""
    session_id: str = ""


def verified_claims(tokens: Tokens, budget: Budget, *, nonce: str) -> Claims:
    """Refused with a reason for the log, unless the token is genuine, ours, fresh and answers our question."""
    payload = signed_tokens.verified(tokens.id_token, budget, types=TYPES)
    _require_nonce(payload, nonce)
    _require_access_token(payload, tokens.access_token)
    return _claims(payload)


def _require_nonce(payload: dict[str, Any], nonce: str) -> None:
    if not nonce or not _is_same(payload.get("nonce"), nonce):
        raise Refused(BAD_TOKEN, "nonce")


def _require_access_token(payload: dict[str, Any], access_token: str) -> None:
    """Where the token names the access token that it came with, it must be this one (Core 3.1.3.6)."""
    if "at_hash" not in payload:
        return
    half = hashlib.sha256(_bytes(access_token)).digest()[:16]
    if not _is_same(payload["at_hash"], urlsafe_b64encode(half).rstrip(b"=").decode()):
        raise Refused(BAD_TOKEN, "at_hash")


def _claims(payload: dict[str, Any]) -> Claims:
    return Claims(
        issuer=payload["iss"],
        subject=signed_tokens.text(payload, "sub"),
        email=_address(payload.get("email")),
        is_email_verified=payload.get("email_verified") is True,
        name=_name(payload.get("name")),
        organisation_id=signed_tokens.text(payload, "org_id") if "org_id" in payload else "",
        session_id=signed_tokens.text(payload, "sid") if "sid" in payload else "",
    )


def _address(value: Any) -> str:
    return value.strip() if isinstance(value, str) and addresses.is_plain(value) else ""


def _name(value: Any) -> str:
    return "".join(filter(str.isprintable, value)).strip()[:200] if isinstance(value, str) else ""


def _is_same(given: Any, expected: str) -> bool:
    """Compared in a time that does not tell where they differ."""
    return isinstance(given, str) and hmac.compare_digest(_bytes(given), _bytes(expected))


def _bytes(value: str) -> bytes:
    # JSON can hold half a surrogate pair, which is no text in UTF-8.
    return value.encode(errors="replace")
