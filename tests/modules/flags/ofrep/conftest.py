"""A client of Lumen that asks by the protocol, and a release that has something to hide."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tenants.models import Organisation
from tests.factories import make_client_token, make_organisation
from tests.modules.flags.documents import body, document, override

ALL = "/ofrep/v1/evaluate/flags"
ANYBODY = {"context": {"targetingKey": "somebody"}}


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False, headers={"X-Forwarded-Proto": "https"})


@pytest.fixture
def lumen() -> Organisation:
    return make_organisation("Lumen", sector="59140")


@pytest.fixture
def release(flag_store: Any) -> Callable[..., None]:
    """release(7, key=body(...)): the flags from here on, without the database."""

    def released(version: int, **flags: dict[str, Any]) -> None:
        flag_store._adopt(version, document(**flags))
        flag_store._look = lambda: True

    return released


@pytest.fixture
def released(release: Callable[..., None], lumen: Organisation) -> None:
    for_lumen = override(target={"organisation": str(lumen.public_id)})
    colours = [{"name": "red", "value": "#f00", "weight": 1}]
    release(
        7,
        shown=body(visible_to_clients=True),
        shown_off=body(visible_to_clients=True, enabled=False),
        for_lumen=body(visible_to_clients=True, enabled=False, overrides=[for_lumen]),
        colour=body(visible_to_clients=True, value_type="string", off_value="none", variants=colours),
        hidden=body(),
        hidden_for_lumen=body(overrides=[for_lumen]),
    )


@pytest.fixture
def ask(client: Client, lumen: Organisation) -> Callable[..., Any]:
    """ask("key") or ask(): the answer to a client of Lumen; `context`, further headers and another token as wanted."""
    token = make_client_token(lumen)

    def asked(key: str = "", *, context: Any = None, token: str = token, query: str = "", **headers: str) -> Any:
        address = f"{ALL}/{key}" if key else ALL
        given = {"context": {"targetingKey": "somebody"} if context is None else context}
        sent = {"Authorization": f"Bearer {token}", **{name.replace("_", "-"): said for name, said in headers.items()}}
        return client.post(address + query, given, content_type="application/json", headers=sent)

    return asked


@pytest.fixture
def send(client: Client, lumen: Organisation) -> Callable[..., Any]:
    """send(b"...", key="shown"): any body at all, with a good token."""
    token = make_client_token(lumen)

    def sent(body: bytes, *, key: str = "shown", content_type: str = "application/json") -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        return client.post(f"{ALL}/{key}" if key else ALL, body, content_type=content_type, headers=headers)

    return sent
