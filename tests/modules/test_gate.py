"""The gate in front of every module URL."""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from modules import registry
from modules.middleware import module_of
from tenants import scope
from tenants.models import AuditEvent
from tests.factories import make_member, make_organisation, offer_market_edge_core

pytestmark = pytest.mark.django_db


def module_patterns(resolver: URLResolver, namespaces: tuple[str, ...] = (), path: str = "") -> list[str]:
    """Every address below a module's namespace, with stand-ins for its parameters."""
    found = []
    for entry in resolver.url_patterns:
        inner = namespaces + ((entry.namespace,) if isinstance(entry, URLResolver) and entry.namespace else ())
        whole = path + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found += module_patterns(entry, inner, whole)
        elif isinstance(entry, URLPattern) and inner and registry.get(inner[0]):
            found.append(whole)
    return found


def filled(pattern: str) -> str:
    stand_ins = {
        "<slug:organisation_slug>": "lumen",
        "<uuid:public_id>": "00000000-0000-4000-8000-000000000000",
    }
    for parameter, value in stand_ins.items():
        pattern = pattern.replace(parameter, value)
    assert "<" not in pattern, f"add a stand-in for the parameters of {pattern}"
    return f"/{pattern}"


def test_every_address_of_every_module_is_closed_without_the_application(client):
    offer_market_edge_core()
    organisation = make_organisation("Lumen")
    client.force_login(make_member(organisation, "admin", applications=[]))

    answers = {path: client.get(filled(path)).status_code for path in module_patterns(get_resolver())}

    assert answers
    assert set(answers.values()) == {403}


def test_a_refusal_is_written_down_with_its_reason(client):
    offer_market_edge_core()
    organisation = make_organisation("Lumen")
    client.force_login(make_member(organisation, applications=[]))

    client.get("/o/lumen/market-edge-core/")

    with scope.login():
        event = AuditEvent.objects.get(action="module.refused")
    assert (event.organisation, event.data["reason_given"]) == (
        organisation,
        "The person has not been given Market Edge.",
    )


def test_an_address_outside_every_module_is_not_gated(rf):
    assert module_of(rf.get("/")) is None
