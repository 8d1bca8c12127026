"""Is this access token one for this API, and who may act by it? (RFC 9068; shapes as Auth0's)

Nothing but an access token passes: an id_token is for the application, a logout_token has another type.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from accounts import signed_tokens
from accounts.bounded_http import Budget
from accounts.refusals import BAD_TOKEN, Refused
from accounts.signed_tokens import text

TYPES = {"at+jwt", "jwt"}  # the standard's, and what Auth0 writes unless it is told to follow the standard
OF_OTHER_TOKENS = {"nonce", "at_hash", "c_hash", "events"}


@dataclass(frozen=True)
class Access:
    """What is believed of the token: who may act, by which application, and for which organisation of the provider."""

    issuer: str
    subject: str
    client: str
    organisation: str


def verified(token: str, budget: Budget) -> Access:
    """Refused with a reason for the log unless everything fits."""
    claims = signed_tokens.genuine(token, budget, types=TYPES)
    _require_audience(claims)
    if OF_OTHER_TOKENS & set(claims):
        raise Refused(BAD_TOKEN, "not an access token")
    organisation = text(claims, "org_id") if "org_id" in claims else ""
    return Access(claims["iss"], text(claims, "sub"), _client(claims), organisation)


def _require_audience(claims: dict[str, Any]) -> None:
    named = claims.get("aud")
    audiences = named if isinstance(named, list) else [named]
    # Auth0 adds its own userinfo to the audiences of whoever signed in.
    known = (settings.API_AUDIENCE, settings.OIDC_OP_USER_ENDPOINT)
    if settings.API_AUDIENCE not in audiences or not all(audience in known for audience in audiences):
        raise Refused(BAD_TOKEN, "another audience, or one beside us")


def _client(claims: dict[str, Any]) -> str:
    """The application that the token was given to: Auth0 calls it `azp`, the standard `client_id`."""
    named = {text(claims, name) for name in ("azp", "client_id") if name in claims}
    if len(named) != 1:
        raise Refused(BAD_TOKEN, "no application, or two")
    client = named.pop()
    if settings.API_CLIENTS and client not in settings.API_CLIENTS:
        raise Refused(BAD_TOKEN, "an application that is not on the list")
    return client
