"""What the provider answers at each of Auth0's paths: the authorization code flow with PKCE, for one client."""

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Any

from accounts.demonstration import PEOPLE
from accounts.local_provider import authorization, exchange, pages, sign_out
from accounts.local_provider.messages import Answer, Request, as_json, redirect
from accounts.local_provider.state import ProviderSettings, State
from accounts.local_provider.tokens import CLAIMS_OF_SCOPES, Faults, profile_of

__all__ = ["Provider", "ProviderSettings"]

LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}


class Provider(State):
    """A WSGI application; see State for what may be set while it runs."""

    def __init__(
        self, settings: ProviderSettings, faults: Faults | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(settings, faults, clock)
        authorize = partial(authorization.authorize, self)
        userinfo, logout = partial(exchange.userinfo, self), partial(sign_out.logout, self)
        self.routes: dict[str, dict[str, Callable[[Request], Answer]]] = {
            "/": {"GET": self.home},
            "/keys": {"POST": self.change_keys},
            "/.well-known/openid-configuration": {"GET": self.discovery},
            "/.well-known/jwks.json": {"GET": lambda _: as_json(self.signer.jwks())},
            "/authorize": {"GET": authorize, "POST": self.choose_or_authorize},
            "/oauth/token": {"POST": partial(exchange.token, self)},
            "/userinfo": {"GET": userinfo, "POST": userinfo},
            "/oidc/logout": {"GET": logout, "POST": logout},
            "/style.css": {"GET": lambda _: Answer(200, pages.style(), "text/css; charset=utf-8")},
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self.faults.is_mute:
            threading.Event().wait()
        time.sleep(self.faults.seconds_late)
        answer = self.answer(Request.read(environ)) if is_local(environ) else pages_of_others()
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
        # The answers to the choice and to signing out redirect to the client; Chromium holds redirects to form-action.
        uris = (*self.settings.redirect_uris, *self.settings.logout_redirect_uris)
        origins = " ".join(sorted({pages.origin_of(uri) for uri in uris}))
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

    def choose_or_authorize(self, request: Request) -> Answer:
        """The page's own form, or a client's question by POST (OpenID Connect Core 3.1.2.1)."""
        is_question = "client_id" in request.form and "pending" not in request.form
        return authorization.authorize(self, request) if is_question else authorization.choose(self, request)

    def home(self, request: Request) -> Answer:
        """What this is, who is signed in with this browser, and the keys."""
        session = self.sessions.get(request.session_key)
        pending = self.pending.keep({})
        return Answer(200, pages.home(self.settings, self.signer, session, pending))

    def change_keys(self, request: Request) -> Answer:
        """Rotate, or take the former keys back; the form is only believed from our own page."""
        if self.pending.take(request.form.get("pending", "")) is None:
            return Answer(400, pages.message("Too old", "This page was used already. Open it again."))
        if "forget" in request.form:
            self.signer.forget()
        else:
            self.signer.rotate()
        return redirect("/", {})

    def discovery(self, request: Request) -> Answer:
        base = self.settings.base
        return as_json(
            {
                "issuer": self.settings.issuer,
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/oauth/token",
                "userinfo_endpoint": f"{base}/userinfo",
                "jwks_uri": f"{base}/.well-known/jwks.json",
                "end_session_endpoint": f"{base}/oidc/logout",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "code_challenge_methods_supported": ["S256"],
                "scopes_supported": ["openid", *CLAIMS_OF_SCOPES],
                "claims_supported": [*profile_of(PEOPLE[0]), "sid", "auth_time", "nonce", "org_id", "org_name"],
                "prompt_values_supported": ["none", "login", "consent", "select_account"],
                "authorization_response_iss_parameter_supported": True,
                "backchannel_logout_supported": True,
                "backchannel_logout_session_supported": True,
                "claims_parameter_supported": False,
                "request_parameter_supported": False,
                "request_uri_parameter_supported": False,
            }
        )


def is_local(environ: dict[str, Any]) -> bool:
    """A name of another site that leads to loopback would make this provider part of that site."""
    return environ.get("HTTP_HOST", "127.0.0.1").rsplit(":", 1)[0] in LOOPBACK


def pages_of_others() -> Answer:
    return Answer(421, pages.message("Not here", "This provider is at home on this machine alone: use 127.0.0.1."))
