"""What the provider reads from a request, and the answers that it gives."""

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from django.http import parse_cookie

COOKIE = "local_provider_session"
BODY_LIMIT = 20_000


@dataclass(frozen=True)
class Request:
    """The parts of a WSGI request that the provider looks at."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    authorization: str
    session_key: str

    @classmethod
    def read(cls, environ: Mapping[str, Any]) -> "Request":
        return cls(
            method=environ["REQUEST_METHOD"],
            path=environ["PATH_INFO"],
            query=parameters(environ.get("QUERY_STRING", "")),
            form=parameters(_body(environ)),
            authorization=environ.get("HTTP_AUTHORIZATION", ""),
            session_key=parse_cookie(environ.get("HTTP_COOKIE", "")).get(COOKIE, ""),
        )

    @property
    def bearer(self) -> str:
        scheme, _, value = self.authorization.partition(" ")
        return value if scheme.lower() == "bearer" else ""

    @property
    def client(self) -> tuple[str, str]:
        """Name and secret that the client gives: client_secret_basic or client_secret_post (RFC 6749 2.3.1)."""
        scheme, _, value = self.authorization.partition(" ")
        if scheme.lower() == "basic":
            return _basic(value)
        return self.form.get("client_id", ""), self.form.get("client_secret", "")


@dataclass(frozen=True)
class Answer:
    status: int
    body: str = ""
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def parameters(query: str) -> dict[str, str]:
    """Empty parameters, and those given twice, count as not given (RFC 6749 3.1)."""
    return {name: values[0] for name, values in parse_qs(query).items() if len(values) == 1}


def as_json(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(body), "application/json", headers or {})


def refusal(error: str, words: str, status: int = 400, challenge: str = "") -> Answer:
    """An error as RFC 6749 5.2 writes it; a 401 says with `challenge` how to authenticate."""
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    return as_json({"error": error, "error_description": words}, status, headers)


def redirect(uri: str, parameters: Mapping[str, str], set_cookie: str | None = None) -> Answer:
    """To the address with the parameters that are not empty; `set_cookie` is the new session, "" ends it."""
    query = urlencode({name: value for name, value in parameters.items() if value})
    joint = "&" if urlsplit(uri).query else "?"
    headers = {"Location": f"{uri}{joint}{query}" if query else uri}
    return Answer(302, headers=headers if set_cookie is None else {**headers, "Set-Cookie": cookie(set_cookie)})


def cookie(session_key: str) -> str:
    """The header that sets the session's cookie, or ends it when there is no key."""
    age = "" if session_key else "; Max-Age=0"
    return f"{COOKIE}={session_key}; Path=/; HttpOnly; SameSite=Lax{age}"


def _body(environ: Mapping[str, Any]) -> str:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not re.fullmatch(r"[0-9]{1,5}", length) or not 0 < int(length) <= BODY_LIMIT:
        return ""
    return environ["wsgi.input"].read(int(length)).decode("utf-8", errors="replace")


def _basic(value: str) -> tuple[str, str]:
    try:
        name, _, secret = b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(name), unquote_plus(secret)
