"""Signing out at the provider: the client's request, the question to the person, and word to the client behind it."""

import logging
import threading

import jwt

from accounts.local_provider import pages
from accounts.local_provider.messages import Answer, Request, cookie, redirect
from accounts.local_provider.state import State
from accounts.local_provider.tokens import Session, logout_token_claims

PATIENCE = 3  # seconds for the client to take a logout token
logger = logging.getLogger(__name__)


def logout(state: State, request: Request) -> Answer:
    """End the session here, and lead back where the client's list allows it (RP-Initiated Logout 1.0).

    A hint that names somebody else's session is not obeyed: the person is asked.
    """
    asked = request.query if request.method == "GET" else request.form
    if "pending" in asked:
        return _end(state, request, state.pending.take(asked["pending"]) or {})
    session = state.sessions.get(request.session_key)
    if session and not _names(state, asked, session):
        return Answer(200, pages.question(state.pending.keep(asked), session.person))
    return _end(state, request, asked)


def _names(state: State, asked: dict[str, str], session: Session) -> bool:
    """Whether the hints, if there are any, mean this session or its person."""
    hinted = {asked["logout_hint"]} if "logout_hint" in asked else set()
    if "id_token_hint" in asked:
        hinted.add(_sid_of(state, asked["id_token_hint"]))
    return hinted <= {session.sid, session.person.subject, session.person.email}


def _sid_of(state: State, id_token: str) -> str:
    """The session of an id_token that we signed, which may have expired meanwhile; "" of any other."""
    for key in state.signer.keys:
        try:
            claims = jwt.decode(
                id_token,
                key.private.public_key(),
                algorithms=["RS256"],
                issuer=state.settings.issuer,
                audience=state.settings.client_id,
                options={"verify_exp": False, "verify_iat": False},
            )
        except jwt.PyJWTError:
            continue
        return str(claims.get("sid", ""))
    return ""


def _end(state: State, request: Request, asked: dict[str, str]) -> Answer:
    session = state.sessions.take(request.session_key)
    if session:
        tell_client(state, session)
    uri = asked.get("post_logout_redirect_uri", "")
    if _is_ours(state, asked) and uri in state.settings.logout_redirect_uris:
        return redirect(uri, {"state": asked.get("state", "")}, set_cookie="")
    page = pages.message("You are signed out", "You can close this page.")
    return Answer(200, page, headers={"Set-Cookie": cookie("")})


def _is_ours(state: State, asked: dict[str, str]) -> bool:
    named = asked.get("client_id")
    return named == state.settings.client_id or (named is None and bool(_sid_of(state, asked.get("id_token_hint", ""))))


def tell_client(state: State, session: Session) -> None:
    """Behind the answer, since the client may be asking us something itself; only who was told of the session."""
    uri, client_id = state.settings.backchannel_logout_uri, state.told.take(session.sid)
    if not uri or client_id is None:
        return
    claims = logout_token_claims(session, issuer=state.settings.issuer, client_id=client_id, now=state.clock())
    token = state.signer.sign(claims, kind="logout+jwt")
    threading.Thread(target=deliver, args=(uri, token), daemon=True).start()


def deliver(uri: str, logout_token: str) -> None:
    """POST the token (Back-Channel Logout 1.0, 2.5). A client that does not take it is told in our log alone."""
    import requests

    try:
        with requests.Session() as session:
            session.trust_env = False
            form = {"logout_token": logout_token}
            answer = session.post(uri, data=form, timeout=PATIENCE, allow_redirects=False)
    except requests.RequestException as fault:
        logger.warning("The client was not told that a session ended: %s.", type(fault).__name__)
        return
    if answer.status_code not in (200, 204):
        logger.warning("The client did not take the end of a session: status %s.", answer.status_code)
