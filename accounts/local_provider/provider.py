"""What the provider answers at each of Auth0's paths: the authorization code flow with PKCE, for one client."""

import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from accounts.demonstration import PEOPLE, DemonstrationPerson
from accounts.local_provider import pages
from accounts.local_provider.checks import is_same, misfit_of, problem_of
from accounts.local_provider.memory import Memory
from accounts.local_provider.messages import Answer, Request, as_json, cookie, redirect, refusal
from accounts.local_provider.tokens import LIFETIME, Faults, Session, Signer, claims_of, profile_of

PAGE_LIFETIME = 3600
CODE_LIFETIME = 60
SESSION_LIFETIME = 12 * 3600


@dataclass(frozen=True)
class ProviderSettings:
    """Whom the provider serves: one client, with the exact addresses that it may send people back to."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    logout_redirect_uris: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grant:
    """What a code stands for until it is spent: the question, and who answered it."""

    asked: dict[str, str]
    session: Session


class Provider:
    """A WSGI application; `settings` may be set again once the port is known, `faults` at any time."""

    def __init__(
        self, settings: ProviderSettings, faults: Faults | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.settings = settings
        self.faults = faults or Faults()
        self.clock = clock
        self.signer = Signer()
        self.pending: Memory[dict[str, str]] = Memory(PAGE_LIFETIME, clock)
        self.grants: Memory[Grant] = Memory(CODE_LIFETIME, clock)
        self.access: Memory[DemonstrationPerson] = Memory(LIFETIME, clock)
        self.sessions: Memory[Session] = Memory(SESSION_LIFETIME, clock)
        self.routes: dict[str, dict[str, Callable[[Request], Answer]]] = {
            "/.well-known/openid-configuration": {"GET": self.discovery},
            "/.well-known/jwks.json": {"GET": lambda _: as_json(self.signer.jwks())},
            "/authorize": {"GET": self.authorize, "POST": self.choose},
            "/oauth/token": {"POST": self.token},
            "/userinfo": {"GET": self.userinfo},
            "/oidc/logout": {"GET": self.logout},
            "/style.css": {"GET": lambda _: Answer(200, pages.style(), "text/css; charset=utf-8")},
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self.faults.is_mute:
            threading.Event().wait()
        time.sleep(self.faults.seconds_late)
        answer = self.answer(Request.read(environ))
        body = answer.body.encode()
        headers = {
            "Content-Type": answer.content_type,
            "Content-Length": str(len(body)),
            **self.safety(),
            **answer.headers,
        }
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", list(headers.items()))
        return [body]

    def safety(self) -> dict[str, str]:
        # The answer to the choice redirects to the client, and Chromium holds redirects to form-action.
        origins = " ".join(sorted({pages.origin_of(uri) for uri in self.settings.redirect_uris}))
        policy = (
            f"default-src 'none'; style-src 'self'; form-action 'self' {origins}; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        return {
            "Cache-Control": "no-store",
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    def answer(self, request: Request) -> Answer:
        methods = self.routes.get(request.path)
        if methods is None:
            return Answer(404, pages.message("Nothing here", "The provider has no such page."))
        if request.method not in methods:
            page = pages.message("Not like this", "The provider has this page, but not for this method.")
            return Answer(405, page, headers={"Allow": ", ".join(methods)})
        return methods[request.method](request)

    def discovery(self, request: Request) -> Answer:
        base = self.settings.issuer.rstrip("/")
        return as_json(
            {
                "issuer": self.settings.issuer,
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/oauth/token",
                "userinfo_endpoint": f"{base}/userinfo",
                "jwks_uri": f"{base}/.well-known/jwks.json",
                "end_session_endpoint": f"{base}/oidc/logout",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "code_challenge_methods_supported": ["S256"],
                "scopes_supported": ["openid", "profile", "email"],
                "claims_supported": [*profile_of(PEOPLE[0]), "sid", "auth_time", "nonce"],
            }
        )

    def authorize(self, request: Request) -> Answer:
        """Show whom to be. Nobody is sent anywhere before the client and its address are proven."""
        asked = request.query
        if asked.get("client_id") != self.settings.client_id:
            return Answer(400, pages.message("Unknown client", "The client_id is not known here."))
        if asked.get("redirect_uri") not in self.settings.redirect_uris:
            return Answer(400, pages.message("Unknown address", "The redirect_uri is not on the client's list."))
        if problem := problem_of(asked):
            return _send_back(asked, *problem)
        session = self._session(request, asked)
        last = session.person if session else None
        return Answer(200, pages.choice(self.pending.keep(asked), asked, last))

    def choose(self, request: Request) -> Answer:
        """The page's form: a `subject`, or `cancel`, under the random `pending` that only the page knows."""
        asked = self.pending.take(request.form.get("pending", ""))
        person = next((person for person in PEOPLE if person.subject == request.form.get("subject")), None)
        if asked is None:
            words = "This page was used already. Go back to the product and sign in again."
            return Answer(400, pages.message("Too old", words))
        if "cancel" in request.form:
            return _send_back(asked, "access_denied", "Sign-in was cancelled.")
        if person is None:
            return Answer(400, pages.message("Nobody", "Nobody here has this subject."))
        key, session = self._sign_in(request, asked, person)
        code = self.grants.keep(Grant(asked, session))
        return redirect(asked["redirect_uri"], {"code": code, "state": asked.get("state", "")}, set_cookie=key)

    def _session(self, request: Request, asked: dict[str, str]) -> Session | None:
        """The browser's session, unless the client wants people to sign in anew."""
        return None if "login" in asked.get("prompt", "").split() else self.sessions.get(request.session_key)

    def _sign_in(self, request: Request, asked: dict[str, str], person: DemonstrationPerson) -> tuple[str, Session]:
        """The session that goes on when the same person continues, else a new one in its place."""
        session = self._session(request, asked)
        if session and session.person == person:
            return request.session_key, session
        self.sessions.take(request.session_key)
        session = Session(person, secrets.token_urlsafe(12), self.clock())
        return self.sessions.keep(session), session

    def token(self, request: Request) -> Answer:
        """Spend a code. It is gone even when the one who brings it does not fit."""
        if self.faults.token_status != 200:
            return Answer(self.faults.token_status, "out of order", "text/plain")
        if not self._is_client(*request.client):
            return refusal("invalid_client", "The client could not be authenticated.", 401, 'Basic realm="clients"')
        if request.form.get("grant_type") != "authorization_code":
            return refusal("unsupported_grant_type", "Only authorization_code.")
        grant = self.grants.take(request.form.get("code", ""))
        if grant is None:
            return refusal("invalid_grant", "The code is unknown, used or too old.")
        if misfit := misfit_of(request.form, grant.asked):
            return refusal("invalid_grant", misfit)
        return as_json(self._tokens(grant))

    def _is_client(self, name: str, secret: str) -> bool:
        return name == self.settings.client_id and is_same(secret, self.settings.client_secret)

    def _tokens(self, grant: Grant) -> dict[str, Any]:
        claims = claims_of(
            grant.session,
            issuer=self.settings.issuer,
            client_id=self.settings.client_id,
            nonce=grant.asked.get("nonce", ""),
            now=self.clock(),
        )
        return {
            "access_token": self.access.keep(grant.session.person),
            "id_token": self.signer.sign(claims, self.faults),
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "scope": grant.asked["scope"],
        }

    def userinfo(self, request: Request) -> Answer:
        person = self.access.get(request.bearer)
        if person is None:
            words = "The access token is unknown or too old."
            return refusal("invalid_token", words, 401, 'Bearer error="invalid_token"')
        return as_json(profile_of(person))

    def logout(self, request: Request) -> Answer:
        """End the session here, and lead back where the client's list allows it."""
        self.sessions.take(request.session_key)
        asked = request.query
        uri = asked.get("post_logout_redirect_uri", "")
        if asked.get("client_id") == self.settings.client_id and uri in self.settings.logout_redirect_uris:
            return redirect(uri, {"state": asked.get("state", "")}, set_cookie="")
        page = pages.message("You are signed out", "You can close this page.")
        return Answer(200, page, headers={"Set-Cookie": cookie("")})


def _send_back(asked: dict[str, str], error: str, words: str) -> Answer:
    parameters = {"error": error, "error_description": words, "state": asked.get("state", "")}
    return redirect(asked["redirect_uri"], parameters)
