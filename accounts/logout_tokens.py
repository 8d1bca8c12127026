"""Is this really the provider, telling us that somebody signed out there? (OpenID Connect Back-Channel Logout 1.0)"""

from dataclasses import dataclass
from datetime import UTC, datetime

from accounts import signed_tokens
from accounts.bounded_http import Budget
from accounts.refusals import BAD_TOKEN, Refused

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TYPES = {"logout+jwt"}


@dataclass(frozen=True)
class SignedOut:
    """Who signed out there, by `subject`, or of which session, by `session_id`; one of the two may be empty.

    `token_id` names the message; after `acceptable_until` it would be refused for its age.
    """

    issuer: str
    subject: str
    session_id: str
    token_id: str
    acceptable_until: datetime


def verified(token: str, budget: Budget) -> SignedOut:
    claims = signed_tokens.verified(token, budget, types=TYPES)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise Refused(BAD_TOKEN, "not about signing out")
    if "nonce" in claims:
        raise Refused(BAD_TOKEN, "a nonce, as in an id_token")
    if "sub" not in claims and "sid" not in claims:
        raise Refused(BAD_TOKEN, "about nobody")
    last = claims["iat"] + signed_tokens.YOUNGEST + 2 * signed_tokens.LEEWAY
    return SignedOut(
        issuer=claims["iss"],
        subject=signed_tokens.text(claims, "sub") if "sub" in claims else "",
        session_id=signed_tokens.text(claims, "sid") if "sid" in claims else "",
        token_id=signed_tokens.text(claims, "jti"),
        acceptable_until=datetime.fromtimestamp(last, UTC),
    )
