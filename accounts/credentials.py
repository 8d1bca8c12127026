"""Whose credential comes with an API call? A person's or an organisation's; or a Problem that says why nobody's."""

import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone

from accounts import access_tokens, client_tokens, signed_tokens
from accounts.bounded_http import Budget
from accounts.models import Identity, User
from accounts.refusals import PROVIDER_DOWN, Refused
from accounts.turns import Turns
from tenants.api import Problem
from tenants.models import Organisation

logger = logging.getLogger(__name__)
BEARER = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*) *", re.IGNORECASE)
SESSION = "session"
KEY_HEADER = "X-API-Key"
RETRY_AFTER = 10
WAIT = 2.0  # seconds for the provider to tell a key that is not known yet
TURN = 0.2  # seconds to wait for a place among those who verify
turns = Turns(3)


@dataclass(frozen=True)
class Caller:
    """`client` is the application's id at the provider, SESSION for pages of our own, or the client token's number.

    `organisation_claim` names the one organisation, by its id at the provider, that a token was made for; `token_hash`
    stands for the token where that must be remembered. A client token is its `organisation`'s, and then the person is
    nobody.
    """

    person: User | AnonymousUser
    client: str
    organisation_claim: str = ""
    token_hash: str = ""
    organisation: Organisation | None = None


def caller_of(request: HttpRequest) -> Caller:
    """Who calls, by the Authorization header alone; Problem when it stands for nobody who may."""
    return _caller_by(_token(request.headers["Authorization"]))


def caller_by_key(request: HttpRequest) -> Caller:
    """The same by X-API-Key, for views that take client tokens: the protocol of flags has both headers.

    Whoever sends both must mean one and the same: nobody is to wonder which of them counted.
    """
    key = request.headers[KEY_HEADER]
    if "Authorization" in request.headers and key != _token(request.headers["Authorization"]):
        raise invalid(f"{KEY_HEADER} and Authorization hold different ones")
    return _caller_by_client_token(key)


def _caller_by(token: str) -> Caller:
    for beginning, read in READERS.items():
        if token.startswith(beginning):
            return read(token)
    raise invalid("it is not one of ours")


def _token(header: str) -> str:
    if header.strip().lower().partition(" ")[0] != "bearer":
        raise Problem(
            401, "unauthenticated", "Authorization must be a Bearer token.", headers={"WWW-Authenticate": "Bearer"}
        )
    found = BEARER.fullmatch(header.strip())
    if found is None:
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_request"'}
        raise Problem(400, "malformed", "Authorization must be the word Bearer and one token.", headers=challenge)
    return found[1]


def _caller_by_access_token(token: str) -> Caller:
    if not settings.API_AUDIENCE:
        raise invalid("access tokens are not taken here: API_AUDIENCE is not set")
    try:
        access = _verified(token)
    except Refused as refused:
        logger.info("An access token was refused: %s %s", refused.refusal.code, refused.detail)
        if refused.refusal is PROVIDER_DOWN:
            raise _provider_is_away() from refused
        raise invalid("it is expired, not for this API, or not genuine") from refused
    person = _person(access)
    return Caller(person, access.client, access.organisation, hashlib.sha256(token.encode()).hexdigest())


def _verified(token: str) -> access_tokens.Access:
    """Only a key that is not known yet makes anybody wait; then few do, and not for long.

    Others need no turn: anybody can send tokens with invented keys, and must not keep good ones from being read.
    """
    if signed_tokens.is_soon_verified(token):
        return access_tokens.verified(token, Budget(WAIT))
    with turns.taken(wait=TURN) as is_our_turn:
        if not is_our_turn:
            raise Refused(PROVIDER_DOWN, "others wait for its keys already")
        return access_tokens.verified(token, Budget(WAIT))


def _caller_by_client_token(token: str) -> Caller:
    found = client_tokens.usable(token)
    if found is None:
        raise invalid("it is expired, revoked or not genuine")
    client_tokens.note_use(found, at=timezone.now())
    return Caller(AnonymousUser(), str(found.pk), organisation=found.organisation)


# By how a token begins. Tokens of our own get a beginning of their own here, see docs/decisions.
READERS: dict[str, Callable[[str], Caller]] = {
    "eyJ": _caller_by_access_token,
    client_tokens.BEGINNING: _caller_by_client_token,
}


def _person(access: access_tokens.Access) -> User:
    """By issuer and subject alone. Nobody is made here: people come in by the sign-in."""
    known = Identity.objects.select_related("user").filter(issuer=access.issuer, subject=access.subject).first()
    if known is None:
        raise Problem(403, "unknown_person", "Nobody here belongs to this access token: sign in with an invitation.")
    if not known.user.is_active:
        raise Problem(403, "deactivated", f"This account is deactivated. Ask {settings.CONTACT} if that is a mistake.")
    return known.user


def _provider_is_away() -> Problem:
    words = "The identity provider does not answer, so this access token cannot be verified. Try again in a moment."
    return Problem(503, "provider_unavailable", words, headers={"Retry-After": str(RETRY_AFTER)})


def invalid(why: str) -> Problem:
    challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return Problem(401, "invalid_token", f"The token is refused: {why}.", headers=challenge)


def nobody() -> Problem:
    words = "Sign in, or send an access token: Authorization: Bearer ..."
    return Problem(401, "unauthenticated", words, headers={"WWW-Authenticate": "Bearer"})
