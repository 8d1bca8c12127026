"""Catalogue and entitlements in the admin site."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from modules.models import AnalyticsModule, ApplicationGrant, Entitlement
from tenants import scope
from tenants.models import AuditEvent, Membership
from tests.factories import (
    make_entitlement,
    make_member,
    make_module,
    make_organisation,
    make_superuser,
    offer_market_edge_core,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def superuser(client):
    user = make_superuser()
    client.force_login(user)
    return user


def entitlement_form(organisation, module, **changes) -> dict:
    now = timezone.now()
    return {
        "organisation": organisation.pk,
        "module": module.pk,
        "starts_at_0": f"{now:%Y-%m-%d}",
        "starts_at_1": f"{now:%H:%M}",
        "ends_at_0": "",
        "ends_at_1": "",
        "configuration": "{}",
        "reason": "bought it",
        **changes,
    }


def actions_written() -> list[str]:
    with scope.login():
        return list(AuditEvent.objects.filter(kind="event").order_by("occurred_at").values_list("action", flat=True))


def test_an_organisation_is_entitled_with_an_event(client):
    client.post("/admin/modules/entitlement/add/", entitlement_form(make_organisation(), make_module("extra")))

    assert actions_written() == ["entitlement.saved"]


def test_overlapping_periods_are_a_clear_error(client):
    organisation, module = make_organisation(), make_module("extra")
    make_entitlement(organisation, module)

    response = client.post("/admin/modules/entitlement/add/", entitlement_form(organisation, module))

    assert "already has this module in a part of that period" in response.content.decode()


def test_the_database_refuses_overlapping_periods_too():
    from django.db import IntegrityError, transaction

    organisation, module = make_organisation(), make_module("extra")
    make_entitlement(organisation, module)

    with pytest.raises(IntegrityError, match="entitlement_periods_do_not_overlap"), transaction.atomic():
        make_entitlement(organisation, module)


def test_a_period_may_follow_another_at_once():
    organisation, module, now = make_organisation(), make_module("extra"), timezone.now()
    make_entitlement(organisation, module, starts_at=now - timedelta(days=1), ends_at=now)

    make_entitlement(organisation, module, starts_at=now)

    with scope.login():
        assert Entitlement.objects.count() == 2


@pytest.mark.parametrize(
    ("configuration", "words"),
    [('{"unknown": 1}', "is not an option of this module"), ("[1]", "Expected an object"), ("{", "valid JSON")],
)
def test_configuration_is_checked(client, configuration, words):
    form = entitlement_form(make_organisation(), offer_market_edge_core(), configuration=configuration)

    response = client.post("/admin/modules/entitlement/add/", form)

    assert (response.status_code, words in response.content.decode()) == (200, True)


def test_an_application_is_given_and_taken_with_an_event_each(client):
    make_member(make_organisation(), applications=[])
    with scope.login():
        membership = Membership.objects.get()

    client.post("/admin/modules/applicationgrant/add/", {"membership": membership.pk, "application": "market_edge"})
    with scope.login():
        grant = ApplicationGrant.objects.get()
    client.post(f"/admin/modules/applicationgrant/{grant.pk}/delete/", {"post": "yes"})

    assert actions_written() == ["application.granted", "application.revoked"]


def test_a_module_is_retired_with_an_event(client):
    module = make_module("extra")
    form = {"name": module.name, "description": "", "status": "retired", "plan": "basic", "reason": "replaced"}

    client.post(f"/admin/modules/analyticsmodule/{module.pk}/change/", form)

    assert (AnalyticsModule.objects.get().status, actions_written()) == ("retired", ["module.saved"])


def test_staff_see_why_anybody_may_not_open_a_module(client):
    offer_market_edge_core()
    user = make_member(make_organisation("Lumen"), applications=[])

    response = client.get(
        "/admin/modules/analyticsmodule/explain-access/",
        {"person": user.email, "organisation": "lumen", "module": "market_edge_core"},
    )

    assert response.context["decision"].reason == "The person has not been given Market Edge."


def test_an_unknown_person_is_a_clear_error(client):
    offer_market_edge_core()
    asked = {"person": "nobody@example.com", "organisation": "lumen", "module": "market_edge_core"}

    page = client.get("/admin/modules/analyticsmodule/explain-access/", asked).content.decode()

    assert "Nobody has this address." in page
    assert "There is no organisation with this slug." in page


@pytest.mark.parametrize(
    "page",
    [
        "modules/analyticsmodule/",
        "modules/entitlement/",
        "modules/entitlement/add/",
        "modules/applicationgrant/",
        "modules/applicationgrant/add/",
        "tenants/auditevent/?what=all",
        "tenants/membership/add/",
        "tenants/organisation/{organisation}/change/",
        "accounts/user/{user}/change/",
        "auth/group/",
    ],
)
def test_pages_ask_the_same_number_of_queries_whatever_there_is(client, page):
    organisation = make_organisation()
    user = make_member(organisation)
    address = f"/admin/{page}".format(organisation=organisation.pk, user=user.pk)
    counts = []
    for more in (1, 5):
        for number in range(more):
            make_entitlement(make_organisation(), make_module(f"module{more}x{number}"))
            make_entitlement(organisation, make_module(f"ours{more}x{number}"))
            make_member(organisation)
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        counts.append(len(queries))

    assert counts[0] == counts[1]
