"""The independent provider on loopback, the product pointed at it, and a browser that walks through both."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any
from wsgiref.simple_server import make_server

import pytest
import requests
from django.test import Client as Browser

from accounts.local_provider.server import Quiet, ThreadingServer
from accounts.provider_keys import KeyStore
from tests.accounts.conftest import CALLBACK, REFUSED, point_at
from tests.accounts.independent.provider import Client, IndependentProvider

PERSON = {"sub": "auth0|independent", "email": "ada@client.example", "email_verified": True, "name": "Ada Byron"}


@contextmanager
def serving(application: Any) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, application, ThreadingServer, Quiet)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def independent(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[IndependentProvider]:
    monkeypatch.setattr("accounts.signed_tokens.key_store", KeyStore())
    client = Client(settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET, CALLBACK)
    provider = IndependentProvider(client, dict(PERSON))
    with serving(provider) as issuer:
        provider.issuer = issuer
        point_at(settings, issuer)
        yield provider


@dataclass
class Walk:
    """One browser's way through the sign-in; each step returns the next address."""

    browser: Browser

    def begin(self, **query: str) -> str:
        return self.browser.get("/oidc/authenticate/", query).headers["Location"]

    def approve(self, address: str) -> str:
        """The provider asks nobody; returns the callback with its query."""
        answer = requests.get(address, timeout=5, allow_redirects=False)
        return answer.headers["Location"].removeprefix("https://marketedge.example")

    def __call__(self) -> Any:
        return self.arrive(self.approve(self.begin()))

    def arrive(self, callback: str) -> Any:
        """The answer, or the page that it leads to when somebody is refused."""
        answer = self.browser.get(callback)
        return self.browser.get(REFUSED) if answer.headers.get("Location") == REFUSED else answer

    @property
    def is_signed_in(self) -> bool:
        return "_auth_user_id" in self.browser.session


@pytest.fixture
def walk(independent: IndependentProvider, client: Browser) -> Walk:
    return Walk(client)
