"""What the provider answers: Auth0's paths, the authorization code flow with PKCE, and nothing kept on disk."""

import hashlib
import hmac
import json
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from accounts.demonstration import PEOPLE, DemonstrationPerson
from accounts.local_provider import pages
from accounts.local_provider.tokens import LIFETIME, Faults, Signer, claims_of

CODE_LIFETIME = 60
BODY_LIMIT = 20_000


@dataclass(frozen=True)
class ProviderSettings:
    """Whom the provider serves: one client, with the exact addresses that it may send people back to."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    logout_redirect_uris: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    status: int
    body: str = ""
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Code:
    """What a code stands for until it is spent."""

    parameters: dict[str, str]
    person: DemonstrationPerson
    made_at: float


def as_json(body: dict[str, Any], status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(body), "application/json", headers)


def refusal(error: str, words: str, status: int = 400) -> Answer:
    return as_json({"error": error, "error_description": words}, status)


def redirect(uri: str, **parameters: str) -> Answer:
    query = urlencode({name: value for name, value in parameters.items() if value})
    return Answer(302, headers={"Location": f"{uri}{'&' if urlsplit(uri).query else '?'}{query}" if query else uri})


class Provider:
    """A WSGI application; `settings` may be set again once the port is known."""

    def __init__(self, settings: ProviderSettings, faults: Faults | None = None) -> None:
        self.settings = settings
        self.faults = faults or Faults()
        self.signer = Signer()
        self.pending: dict[str, dict[str, str]] = {}
        self.codes: dict[str, Code] = {}
        self.access: dict[str, DemonstrationPerson] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self.faults.is_mute:
            time.sleep(30)
        answer = self.answer(environ)
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
        origins = " ".join(
            sorted({"{0.scheme}://{0.netloc}".format(urlsplit(uri)) for uri in self.settings.redirect_uris})
        )
        policy = f"default-src 'none'; style-src 'self'; form-action 'self' {origins}; base-uri 'none'"
        return {"Cache-Control": "no-store", "Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"}

    def answer(self, environ: dict[str, Any]) -> Answer:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        routes: dict[tuple[str, str], Callable[[dict[str, Any]], Answer]] = {
            ("GET", "/.well-known/openid-configuration"): self.discovery,
            ("GET", "/.well-known/jwks.json"): lambda _: as_json(self.signer.jwks()),
            ("GET", "/authorize"): self.authorize,
            ("POST", "/authorize"): self.choose,
            ("POST", "/oauth/token"): self.token,
            ("GET", "/userinfo"): self.userinfo,
            ("GET", "/oidc/logout"): self.logout,
            ("GET", "/style.css"): lambda _: Answer(200, pages.STYLE, "text/css"),
        }
        if (method, path) in routes:
            return routes[method, path](environ)
        is_known = any(path == known for _, known in routes)
        return Answer(405 if is_known else 404, pages.message("Nothing here", "The provider has no such page."))

    def discovery(self, environ: dict[str, Any]) -> Answer:
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
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "scopes_supported": ["openid", "profile", "email"],
            }
        )

    def authorize(self, environ: dict[str, Any]) -> Answer:
        """Show whom to be. Nobody is sent anywhere before the client and its address are proven."""
        asked = parameters(environ.get("QUERY_STRING", ""))
        if asked.get("client_id") != self.settings.client_id:
            return Answer(400, pages.message("Unknown client", "The client_id is not known here."))
        if asked.get("redirect_uri") not in self.settings.redirect_uris:
            return Answer(400, pages.message("Unknown address", "The redirect_uri is not on the client's list."))
        if problem := _problem_of(asked):
            return redirect(
                asked["redirect_uri"], error="invalid_request", error_description=problem, state=asked.get("state", "")
            )
        pending = secrets.token_urlsafe(24)
        self.pending[pending] = asked
        return Answer(200, pages.choice(PEOPLE, pending))

    def choose(self, environ: dict[str, Any]) -> Answer:
        form = parameters(body_of(environ))
        asked = self.pending.pop(form.get("pending", ""), None)
        if asked is None:
            return Answer(
                400, pages.message("Too old", "This page was used already. Go back to the product and sign in again.")
            )
        state, uri = asked.get("state", ""), asked["redirect_uri"]
        person = next((person for person in PEOPLE if person.subject == form.get("subject")), None)
        if person is None:
            return redirect(uri, error="access_denied", error_description="Sign-in was cancelled.", state=state)
        code = secrets.token_urlsafe(24)
        self.codes[code] = Code(asked, person, time.monotonic())
        return redirect(uri, code=code, state=state)

    def token(self, environ: dict[str, Any]) -> Answer:
        """Spend a code (RFC 6749 4.1.3, RFC 7636 4.6)."""
        if self.faults.token_status != 200:
            return Answer(self.faults.token_status, "out of order", "text/plain")
        form = parameters(body_of(environ))
        if not self._is_client(environ, form):
            return refusal("invalid_client", "The client could not be authenticated.", 401)
        code = self.codes.pop(form.get("code", ""), None)
        if form.get("grant_type") != "authorization_code":
            return refusal("unsupported_grant_type", "Only authorization_code.")
        if code is None or time.monotonic() - code.made_at > CODE_LIFETIME:
            return refusal("invalid_grant", "The code is unknown, used or too old.")
        if form.get("redirect_uri") != code.parameters["redirect_uri"]:
            return refusal("invalid_grant", "The redirect_uri is not the one that was asked for.")
        if not hmac.compare_digest(challenge_of(form.get("code_verifier", "")), code.parameters["code_challenge"]):
            return refusal("invalid_grant", "The code_verifier does not fit.")
        return self._tokens(code)

    def _tokens(self, code: Code) -> Answer:
        access = secrets.token_urlsafe(24)
        self.access[access] = code.person
        claims = claims_of(
            code.person,
            issuer=self.settings.issuer,
            client_id=self.settings.client_id,
            nonce=code.parameters.get("nonce", ""),
            sid=secrets.token_urlsafe(12),
        )
        return as_json(
            {
                "access_token": access,
                "id_token": self.signer.sign(claims, self.faults),
                "token_type": "Bearer",
                "expires_in": LIFETIME,
                "scope": code.parameters["scope"],
            }
        )

    def _is_client(self, environ: dict[str, Any], form: dict[str, str]) -> bool:
        name, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, value = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() == "basic":
            name, secret = _basic(value)
        is_named = name == self.settings.client_id
        return is_named and hmac.compare_digest(secret.encode(), self.settings.client_secret.encode())

    def userinfo(self, environ: dict[str, Any]) -> Answer:
        person = self.access.get(environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer "))
        if person is None:
            return refusal("invalid_token", "The access token is not known.", 401)
        return as_json(
            {
                "sub": person.subject,
                "email": person.email,
                "email_verified": person.is_email_verified,
                "name": person.name,
            }
        )

    def logout(self, environ: dict[str, Any]) -> Answer:
        """There is no session to end, since the page always asks; lead back where the client's list allows it."""
        asked = parameters(environ.get("QUERY_STRING", ""))
        uri = asked.get("post_logout_redirect_uri", "")
        if asked.get("client_id") == self.settings.client_id and uri in self.settings.logout_redirect_uris:
            return redirect(uri, state=asked.get("state", ""))
        return Answer(200, pages.message("You are signed out", "You can close this page."))


def _problem_of(asked: dict[str, str]) -> str:
    if asked.get("response_type") != "code":
        return "response_type must be code"
    if "openid" not in asked.get("scope", "").split():
        return "scope must hold openid"
    if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
        return "PKCE with S256 is required"
    return ""


def challenge_of(verifier: str) -> str:
    """RFC 7636 4.2: BASE64URL(SHA256(verifier)) without padding."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def parameters(query: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}


def body_of(environ: dict[str, Any]) -> str:
    length = min(int(environ.get("CONTENT_LENGTH") or 0), BODY_LIMIT)
    return environ["wsgi.input"].read(length).decode("utf-8", errors="replace")


def _basic(value: str) -> tuple[str, str]:
    try:
        name, _, secret = b64decode(value, validate=True).decode().partition(":")
    except (NotBase64, UnicodeDecodeError):
        return "", ""
    return unquote(name), unquote(secret)
