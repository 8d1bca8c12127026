"""What is told of an address agrees with what the product answers there."""

import pytest
from django.urls import URLPattern, get_resolver, reverse

from modules.callers import Callers, find
from tests.factories import make_organisation, offer_market_edge_core

pytestmark = pytest.mark.django_db
STAND_INS = {
    "<slug:organisation_slug>": "lumen",
    "<slug:module_key>": "market_edge_core",
    "<uuid:public_id>": "00000000-0000-4000-8000-000000000000",
    "<str:token>": "x",
    "<str:organisation>": "lumen",
}


def addresses(entries, path: str = "/") -> list[str]:
    """Every address outside the admin site, with stand-ins for its parameters."""
    found = []
    for entry in entries:
        whole = path + str(entry.pattern)
        found += [whole] if isinstance(entry, URLPattern) else addresses(entry.url_patterns, whole)
    return [filled(address) for address in found if not address.startswith(reverse("admin:index"))]


def filled(address: str) -> str:
    for parameter, value in STAND_INS.items():
        address = address.replace(parameter, value)
    return address


ADDRESSES = addresses(get_resolver().url_patterns)


@pytest.mark.parametrize("address", ADDRESSES)
def test_nobody_signed_in_is_let_in_where_anybody_is_said_to_be(client, address):
    offer_market_edge_core()
    make_organisation("Lumen")

    answer = client.get(address)

    # Programs are told so, people are led there.
    is_led_to_sign_in = answer.headers.get("Location", "").startswith("/sign-in/?next=")
    is_kept_out = is_led_to_sign_in or (address.startswith(("/api/", "/ofrep/")) and answer.status_code == 401)
    assert is_kept_out is (find(address).callers is not Callers.ANYBODY)


def test_addresses_of_each_kind_were_asked():
    kinds = {find(address).callers for address in ADDRESSES}

    assert kinds == set(Callers) - {Callers.STAFF}
