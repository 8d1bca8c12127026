"""The dashboard and the ladder, as a person of an organisation sees them."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from modules import registry
from modules.models import Application
from tenants import scope
from tenants.models import Membership
from tests.factories import (
    make_entitlement,
    make_member,
    make_module,
    make_organisation,
    make_superuser,
    offer_market_edge_core,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def organisation():
    offer_market_edge_core()
    return make_organisation("Lumen")


def test_the_dashboard_shows_an_open_module_as_a_way_in(client, organisation):
    client.force_login(make_member(organisation))

    response = client.get("/o/lumen/")

    assert [card.url for card in response.context["open_cards"]] == ["/o/lumen/market-edge-core/"]
    assert b'href="/o/lumen/market-edge-core/"' in response.content


def test_a_closed_module_says_why_and_who_can_open_it(client, organisation):
    client.force_login(make_member(organisation, applications=[]))

    [card] = client.get("/o/lumen/").context["closed_cards"]

    assert (card.reason, card.who_can_open) == (
        "The person has not been given Market Edge.",
        "Zebra Associates, when your organisation asks for it",
    )


def test_the_dashboard_asks_at_most_eight_queries_whatever_there_is(client, organisation):
    client.force_login(make_member(organisation))
    client.get("/o/lumen/")
    counts = []
    for more in (0, 5):
        for _ in range(more):
            make_member(make_organisation())
            make_member(organisation)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get("/o/lumen/")
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 8


def test_the_dashboard_asks_no_more_with_200_organisations_20_modules_and_1000_people(
    client, organisation, monkeypatch
):
    client.force_login(make_member(organisation))
    client.get("/o/lumen/")
    with CaptureQueriesContext(connection) as few:
        client.get("/o/lumen/")
    fill(organisation, monkeypatch)

    with CaptureQueriesContext(connection) as many:
        response = client.get("/o/lumen/")

    assert (len(response.context["cards"]), len(many)) == (20, len(few))


def fill(organisation, monkeypatch) -> None:
    spec = registry.get("market_edge_core")
    assert spec
    specs = {f"module{number}": replace(spec, key=f"module{number}") for number in range(19)}
    monkeypatch.setattr(registry, "_specs", {spec.key: spec, **specs})
    for key in specs:
        make_entitlement(organisation, make_module(key))
    for _ in range(199):
        make_organisation()
    with scope.login():
        people = User.objects.bulk_create(User(email=f"member{number}@example.com") for number in range(1000))
        Membership.unscoped.bulk_create(Membership(organisation=organisation, user=user) for user in people)


@pytest.mark.parametrize("path", ["/o/lumen/", "/o/lumen/access/market_edge_core/", "/o/lumen/market-edge-core/"])
def test_a_stranger_to_the_organisation_gets_the_404_of_one_that_does_not_exist(client, organisation, path):
    client.force_login(make_member(make_organisation("Elsewhere")))

    response, unknown = client.get(path), client.get(path.replace("lumen", "no-such-organisation"))

    assert (response.status_code, response.content) == (404, unknown.content)


@pytest.mark.parametrize("path", ["/o/lumen/", "/o/lumen/access/market_edge_core/", "/o/lumen/market-edge-core/"])
def test_nobody_signed_in_is_led_to_the_sign_in(client, organisation, path):
    response = client.get(path)

    assert (response.status_code, response.url) == (302, f"/sign-in/?next={path}")


def test_a_suspended_organisation_says_so(client):
    suspended = make_organisation("Closed", status="suspended")
    client.force_login(make_member(suspended))

    response = client.get("/o/closed/")

    assert (response.status_code, response.templates[0].name) == (403, "tenants/suspended.html")


def test_the_ladder_shows_all_nine_rungs(client, organisation):
    client.force_login(make_member(organisation, applications=[Application.CAUSAL_EDGE]))

    rungs = client.get("/o/lumen/access/market_edge_core/").context["rungs"]

    assert [rung.state for rung in rungs] == [*["passed"] * 7, "failed", "not reached"]


def test_the_ladder_of_an_unknown_module_is_not_found(client, organisation):
    client.force_login(make_member(organisation))

    assert client.get("/o/lumen/access/nothing/").status_code == 404


def test_a_superuser_without_membership_acts_as_a_viewer_and_is_told(client, organisation):
    client.force_login(make_superuser())

    response = client.get("/o/lumen/")

    assert (response.context["shell"].acting_as_superuser, len(response.context["open_cards"])) == (True, 1)
