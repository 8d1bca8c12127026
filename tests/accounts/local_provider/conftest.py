"""A provider, and a browser of sorts that asks it without a socket."""

import copy
import io
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

import pytest

from accounts.demonstration import PEOPLE
from accounts.local_provider.checks import challenge_of
from accounts.local_provider.provider import Provider, ProviderSettings
from tests.accounts.conftest import query_of

CALLBACK = "https://us.example/callback"
VERIFIER = "v" * 50
ASKED = {
    "client_id": "us",
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid profile email",
    "state": "s",
    "nonce": "n",
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}
SPENT = {
    "grant_type": "authorization_code",
    "client_id": "us",
    "client_secret": "secret",
    "redirect_uri": CALLBACK,
    "code_verifier": VERIFIER,
}


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Heard:
    """What came back from the provider."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def sent_back(self) -> dict[str, str]:
        """The parameters of the address that the browser is sent to."""
        return query_of(self.headers["Location"])

    @property
    def pending(self) -> str:
        return self.text.split('name="pending" value="')[1].split('"')[0]


@dataclass
class Browser:
    """Asks the WSGI application, and keeps its cookie."""

    provider: Provider
    cookie: str = ""

    def ask(self, method: str, path: str, query: str = "", body: bytes = b"", **environ: str) -> Heard:
        whole: dict[str, Any] = {}
        setup_testing_defaults(whole)
        whole |= {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "HTTP_COOKIE": self.cookie}
        whole |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), **environ}
        started: list[Any] = []
        text = b"".join(self.provider(whole, lambda *said: started.extend(said))).decode()
        heard = Heard(int(started[0].split()[0]), dict(started[1]), text)
        self.cookie = heard.headers.get("Set-Cookie", self.cookie).split(";")[0]
        return heard

    def get(self, path: str, **query: str) -> Heard:
        return self.ask("GET", path, urlencode(query))

    def post(self, path: str, **form: str) -> Heard:
        return self.ask("POST", path, body=urlencode(form).encode())

    def choose(self, subject: str = PEOPLE[0].subject, **changes: str) -> Heard:
        """Open the page and choose a person there."""
        page = self.get("/authorize", **{**ASKED, **changes})
        return self.post("/authorize", pending=page.pending, subject=subject)

    def code(self, subject: str = PEOPLE[0].subject, **changes: str) -> str:
        return self.choose(subject, **changes).sent_back["code"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def signed_once() -> Provider:
    """Its key is the costly part, so all tests share it."""
    return Provider(ProviderSettings("", "", "", ()))


@pytest.fixture
def provider(signed_once: Provider, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Provider:
    monkeypatch.setattr("accounts.local_provider.state.Signer", lambda: copy.copy(signed_once.signer))
    settings = ProviderSettings(
        "https://issuer.example/", "us", "secret", (CALLBACK,), ("https://us.example/bye",), ("https://api.example/",)
    )
    return Provider(settings, clock=clock)


@pytest.fixture
def browser(provider: Provider) -> Browser:
    return Browser(provider)
