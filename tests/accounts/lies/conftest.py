"""A provider on loopback that says what it is told to, and a browser in which somebody is signed in already."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client

from accounts.models import Identity, User
from accounts.provider_keys import KeyStore
from tenants import scope
from tests.accounts.conftest import point_at
from tests.accounts.lies.world import ADDRESS, SUBJECT, Provider, Truth, World
from tests.accounts.talking import answer
from tests.factories import make_invitation, make_member, make_organisation, make_user


class Place:
    """One listening socket for all lies: making one for each takes longer than most of them."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.issuer = f"http://127.0.0.1:{self.socket.getsockname()[1]}/"
        self.provider = Provider()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=[line, self.provider], daemon=True).start()

    def _talk(self, line: socket.socket, provider: Provider) -> None:
        try:
            with line:
                line.settimeout(5)
                provider(line, _question(line))
        except OSError:
            # The product hung up, as it should when it has heard enough.
            return

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def _question(line: socket.socket) -> bytes:
    """The head and the body of a request."""
    heard = b""
    while b"\r\n\r\n" not in heard:
        heard += line.recv(65536)
    head, _, body = heard.partition(b"\r\n\r\n")
    length = next((int(row.split(b":")[1]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-len")), 0)
    while len(body) < length:
        body += line.recv(65536)
    return head + b"\r\n\r\n" + body


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    made = Place()
    yield made
    made.close()


@pytest.fixture
def provider(place: Place, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """Nothing is known of it yet: no key, and no failure."""
    monkeypatch.setattr("accounts.signed_tokens.key_store", KeyStore())
    settings.OIDC_TIMEOUT = 2
    point_at(settings, place.issuer)
    place.provider = Provider()
    return place.provider


@dataclass(frozen=True)
class Meanwhile:
    """Who is here: Vera, and the cookie of the browser in which she is signed in."""

    vera: User
    cookie: str


@pytest.fixture(scope="module")
def meanwhile(place: Place, django_db_setup: None, django_db_blocker: Any) -> Iterator[Meanwhile]:
    """Vera is signed in, Ben is known, his other address is invited. Made once: each lie is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        lumen = make_organisation("Lumen", auth0_organisation_id="org_lumen")
        vera = make_member(lumen, email="vera@lumen-cinemas.example", applications=[])
        ben = make_user(email="ben.castellan@elsewhere.example")
        with scope.login():
            Identity.objects.create(user=ben, issuer=place.issuer, subject=SUBJECT)
        make_invitation(lumen, ADDRESS)
        browser = Client()
        browser.force_login(vera)
        yield Meanwhile(vera, browser.cookies[settings.SESSION_COOKIE_NAME].value)
        transaction.set_rollback(True)


@pytest.fixture
def world(meanwhile: Meanwhile, provider: Provider, db: None) -> World:
    """A browser in which Vera is signed in comes back from the provider."""
    browser = Client(headers={"X-Forwarded-Proto": "https"}, raise_request_exception=False)
    browser.cookies[settings.SESSION_COOKIE_NAME] = meanwhile.cookie
    return World(provider, browser, meanwhile.vera)


@pytest.fixture
def stranger(meanwhile: Meanwhile, provider: Provider, db: None) -> World:
    """One in which nobody is signed in comes back."""
    return World(provider, Client(headers={"X-Forwarded-Proto": "https"}, raise_request_exception=False), None)


@pytest.fixture
def hears() -> Callable[..., Any]:
    """Comes back from a provider that gives these answers, made from the truth of this sign-in."""

    def hear(world: World, tokens: Any = None, keys: Any = None, **query: str) -> Any:
        asked = world.begin()
        truth = Truth(asked["nonce"])
        world.provider.tokens = tokens(truth) if tokens else as_json(truth.body())
        world.provider.keys = keys(truth) if keys else as_json(truth.keys())
        return world.arrive(**{"code": "a-code-of-the-provider", "state": asked["state"], **query})

    return hear


def as_json(body: Any, status: str = "200 OK", kind: str = "application/json", more: bytes = b"") -> bytes:
    return answer(body if isinstance(body, bytes) else json.dumps(body).encode(), status, kind, more)
