"""What the provider signs: id_tokens, access tokens and logout tokens, and the faults that tests may ask for."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.demonstration import DemonstrationOrganisation, DemonstrationPerson
from accounts.local_provider.keys import Signer

__all__ = ["Faults", "Session", "Signer"]

LIFETIME = 600
LOGOUT_LIFETIME = 120  # OpenID Connect Back-Channel Logout 1.0, 2.4: two minutes at most
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
CLAIMS_OF_SCOPES = {"profile": ("name", "given_name", "family_name"), "email": ("email", "email_verified")}
EVERY_SCOPE = "openid profile email"


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


def id_token_claims(
    session: Session,
    asked: Mapping[str, str],
    *,
    issuer: str,
    access_token: str,
    organisation: DemonstrationOrganisation | None,
    now: float,
) -> dict[str, Any]:
    """The claims of an id_token, as Auth0 writes them; times in whole seconds since 1970."""
    return {
        "iss": issuer,
        "aud": asked["client_id"],
        "azp": asked["client_id"],
        **_lifetime(now, LIFETIME),
        "auth_time": int(session.signed_in_at),
        "nonce": asked.get("nonce") or None,
        "sid": session.sid,
        "at_hash": hash_of(access_token),
        **_organisation(organisation),
        **profile_of(session.person, asked["scope"]),
    }


def access_token_claims(
    session: Session,
    asked: Mapping[str, str],
    *,
    issuer: str,
    organisation: DemonstrationOrganisation | None,
    now: float,
) -> dict[str, Any]:
    """The claims of an access token for an API (RFC 9068), with Auth0's second audience and `azp`."""
    return {
        "iss": issuer,
        "sub": session.person.subject,
        "aud": [asked["audience"], f"{issuer.rstrip('/')}/userinfo"],
        "azp": asked["client_id"],
        "client_id": asked["client_id"],
        **_lifetime(now, LIFETIME),
        "auth_time": int(session.signed_in_at),
        "jti": secrets.token_urlsafe(16),
        "scope": asked["scope"],
        **_organisation(organisation),
    }


def logout_token_claims(session: Session, *, issuer: str, client_id: str, now: float) -> dict[str, Any]:
    """OpenID Connect Back-Channel Logout 1.0, 2.4: whose session it was, and never a nonce."""
    return {
        "iss": issuer,
        "aud": client_id,
        **_lifetime(now, LOGOUT_LIFETIME),
        "jti": secrets.token_urlsafe(16),
        "sub": session.person.subject,
        "sid": session.sid,
        "events": {LOGOUT_EVENT: {}},
    }


def profile_of(person: DemonstrationPerson, scope: str = EVERY_SCOPE) -> dict[str, Any]:
    """Who the person is, as far as the scope goes (OpenID Connect Core 5.4)."""
    everything = {
        "email": person.email,
        "email_verified": person.is_email_verified,
        "name": person.name,
        "given_name": person.given_name,
        "family_name": person.family_name,
    }
    shown = {claim for word in scope.split() for claim in CLAIMS_OF_SCOPES.get(word, ())}
    return {"sub": person.subject, **{claim: value for claim, value in everything.items() if claim in shown}}


def hash_of(access_token: str) -> str:
    """OpenID Connect Core 3.1.3.6: the left half of the hash, as BASE64URL."""
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    return urlsafe_b64encode(half).rstrip(b"=").decode()


def _lifetime(now: float, seconds: int) -> dict[str, int]:
    return {"iat": int(now), "exp": int(now) + seconds}


def _organisation(organisation: DemonstrationOrganisation | None) -> dict[str, str]:
    return {"org_id": organisation.auth0_id, "org_name": organisation.slug} if organisation else {}
