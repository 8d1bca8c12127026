"""What a lie needs: the provider's place on the network, the truth that is bent, and who is here meanwhile."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from accounts.models import Identity, User
from tenants import scope
from tenants.models import AuditEvent
from tests.accounts import lying
from tests.accounts.conftest import REFUSED, query_of
from tests.accounts.talking import answer

SUBJECT, ADDRESS = "auth0|ben", "ben@lumen-cinemas.example"
NULL = object()  # JSON's null, where a change to None takes the claim away
Json = dict[str, Any]


@dataclass
class Truth:
    """What an honest provider would say at this sign-in; a lie takes it and bends it."""

    nonce: str
    access_token: str = "an-opaque-access-token"

    def claims(self, **changes: Any) -> Json:
        """The claims, changed; None takes one away."""
        made = lying.claims(**{"sub": SUBJECT, "email": ADDRESS, "nonce": self.nonce, **changes})
        return {name: None if value is NULL else value for name, value in made.items()}

    def token(self, changes: Json | None = None, header: Json | bytes | None = None, key: Any = None) -> str:
        return lying.signed(self.claims(**(changes or {})), header, key)

    def body(self, id_token: Any = "", **more: Any) -> Json:
        """The answer of the token endpoint as JSON."""
        whole = {
            "access_token": self.access_token,
            "id_token": id_token or self.token(),
            "token_type": "Bearer",
            "expires_in": 600,
            **more,
        }
        return {name: value for name, value in whole.items() if value is not None}

    def keys(self) -> Json:
        return {"keys": [lying.jwk()]}


Says = Callable[[socket.socket], None]


@dataclass
class Provider:
    """Answers at both addresses as a test wants; `tokens` and `keys` are conversations, or raw answers."""

    tokens: Says | bytes = b""
    keys: Says | bytes = b""
    asked: list[str] = field(default_factory=list)

    def __call__(self, line: socket.socket, question: bytes) -> None:
        path = question.split(b" ")[1].decode()
        self.asked.append(path)
        says = self.tokens if path == "/oauth/token" else self.keys
        if path not in ("/oauth/token", "/.well-known/jwks.json"):
            says = answer(b"{}", "404 Not Found")
        if callable(says):
            says(line)
        else:
            line.sendall(says)


@dataclass
class World:
    """A browser in which Vera is signed in, and the provider that answers what is asked meanwhile."""

    provider: Provider
    browser: Client
    vera: User | None

    def begin(self) -> Json:
        """Start a sign-in; the question that the browser carries to the provider."""
        return query_of(self.browser.get("/oidc/authenticate/").headers["Location"])

    def arrive(self, **query: Any) -> Any:
        """Come back from the provider; the answer, or the page it leads to when somebody is refused."""
        response: Any = self.browser.get("/oidc/callback/", query)
        return self.browser.get(REFUSED) if response.headers.get("Location") == REFUSED else response

    @property
    def who_is_in(self) -> str | None:
        return self.browser.session.get("_auth_user_id")

    @property
    def is_as_before(self) -> bool:
        """Nobody signed in, nobody signed out."""
        return self.who_is_in == (str(self.vera.pk) if self.vera else None)


def everybody() -> tuple[int, int]:
    with scope.login():
        return User.objects.count(), Identity.objects.count()


def refusals() -> list[Json]:
    with scope.login():
        return list(AuditEvent.objects.filter(action="sign_in.refused").values_list("data", flat=True))
