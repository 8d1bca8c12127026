"""A real provider in a thread, and a browser of sorts that walks through it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.http import HttpResponse
from django.test import Client

from accounts.local_provider.provider import Provider, ProviderSettings
from accounts.local_provider.server import serve_in_thread
from accounts.local_provider.tokens import Faults
from accounts.provider_keys import KeyStore

CALLBACK = "https://marketedge.example/oidc/callback/"
REFUSED = "/sign-in/refused/"


@dataclass
class SignIn:
    """Walks one browser (`client`) through the provider as the person with `subject`."""

    provider: Provider
    client: Client

    def begin(self, **query: str) -> str:
        """Start; returns the provider's address that the browser is sent to."""
        return self.client.get("/oidc/authenticate/", query).headers["Location"]

    def choose(self, address: str, subject: str) -> str:
        """Choose a person at the provider; returns the callback's path with its query."""
        page = requests.get(address, timeout=5)
        pending = page.text.split('name="pending" value="')[1].split('"')[0]
        base = "{0.scheme}://{0.netloc}".format(urlsplit(address))
        form = {"pending": pending, **({"cancel": "yes"} if subject == "cancel" else {"subject": subject})}
        answer = requests.post(f"{base}/authorize", data=form, allow_redirects=False, timeout=5)
        return answer.headers["Location"].removeprefix("https://marketedge.example")

    def __call__(self, subject: str, **query: str) -> HttpResponse:
        return self.arrive(self.choose(self.begin(**query), subject))

    def arrive(self, callback: str) -> HttpResponse:
        """Come back from the provider; the answer, or the page that it leads to when somebody is refused."""
        response: Any = self.client.get(callback)
        return self.client.get(REFUSED) if response.headers.get("Location") == REFUSED else response  # type: ignore[return-value]

    @property
    def is_signed_in(self) -> bool:
        return "_auth_user_id" in self.client.session


def point_at(settings: Any, issuer: str, *, name: str = "") -> None:
    """Ask for everything at the address; the provider is called by it too, unless it has another name."""
    settings.OIDC_ISSUER = name or issuer
    for name, path in {
        "AUTHORIZATION": "authorize",
        "TOKEN": "oauth/token",
        "USER": "userinfo",
        "JWKS": ".well-known/jwks.json",
        "LOGOUT": "oidc/logout",
    }.items():
        setattr(settings, f"OIDC_OP_{name}_ENDPOINT", f"{issuer}{path}")


@pytest.fixture
def provider(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """The provider without faults; a test may set `provider.faults`."""
    monkeypatch.setattr("accounts.signed_tokens.key_store", KeyStore())
    settings.OIDC_TIMEOUT = 2
    made = Provider(
        ProviderSettings("", settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET, (CALLBACK,)), Faults()
    )
    with serve_in_thread(made) as issuer:
        point_at(settings, issuer)
        yield made


@pytest.fixture
def sign_in(provider: Provider, client: Client) -> SignIn:
    return SignIn(provider, client)


@pytest.fixture
def known(provider: Provider, settings: Any) -> Callable[..., Any]:
    """Makes the person whom the provider knows by a demonstration subject."""
    from accounts.models import Identity
    from tenants import scope
    from tests.factories import make_user

    def make(subject: str, **fields: Any) -> Any:
        user = make_user(**fields)
        with scope.login():
            Identity.objects.create(user=user, issuer=settings.OIDC_ISSUER, subject=subject)
        return user

    return make


def without(address: str, name: str) -> str:
    """The address without a parameter of its query."""
    path, _, query = address.partition("?")
    return f"{path}?{'&'.join(part for part in query.split('&') if not part.startswith(f'{name}='))}"


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
