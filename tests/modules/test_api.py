"""/api/v1/auth/me: who calls, where, and what they may do there, with reasons."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import (
    make_member,
    make_module,
    make_organisation,
    make_superuser,
    make_user,
    offer_market_edge_core,
)

pytestmark = pytest.mark.django_db
ME = "/api/v1/auth/me"


@pytest.fixture
def lumen():
    offer_market_edge_core()
    return make_organisation("Lumen", industry="cinema", plan="enterprise")


def test_the_whole_answer(client, bearer, lumen):
    ben = make_member(
        lumen,
        "analyst",
        email="ben@lumen.example",
        name="Ben von Castellan",
        subject="ben",
        applications=["market_edge"],
    )

    answer = client.get(ME, headers=bearer("ben")).json()

    assert answer == {
        "user": {
            "id": str(ben.public_id),
            "email": "ben@lumen.example",
            "first_name": "Ben",
            "last_name": "von Castellan",
            "role": "analyst",
            "organisation_id": str(lumen.public_id),
            "is_active": True,
            "application_access": {
                "MARKET_EDGE": True,
                "CAUSAL_EDGE": False,
                "VALUE_EDGE": False,
                "market_edge": True,
                "causal_edge": False,
                "value_edge": False,
            },
        },
        "tenant": {
            "id": str(lumen.public_id),
            "slug": "lumen",
            "name": "Lumen",
            "industry": "Cinema",
            "subscription_plan": "enterprise",
            "status": "active",
            "role": "analyst",
            "is_acting": False,
        },
        "permissions": ["load:prices", "read:markets"],
        "session": {"authenticated": True, "tenant_isolated": True},
        "organisations": [
            {"id": str(lumen.public_id), "slug": "lumen", "name": "Lumen", "role": "analyst", "status": "active"}
        ],
        "applications": [
            {
                "application": "market_edge",
                "name": "Market Edge",
                "has_access": True,
                "reason": "The person has been given it in this organisation.",
            },
            {
                "application": "causal_edge",
                "name": "Causal Edge",
                "has_access": False,
                "reason": "The person has not been given Causal Edge.",
            },
            {
                "application": "value_edge",
                "name": "Value Edge",
                "has_access": False,
                "reason": "The person has not been given Value Edge.",
            },
        ],
        "modules": [
            {
                "module": "market_edge_core",
                "name": "Market prices",
                "application": "market_edge",
                "is_open": True,
                "reason": "Every condition is met.",
                "who_can_open": "",
                "notice": "",
            }
        ],
    }


def module_in(answer) -> tuple[bool, str]:
    [module] = answer.json()["modules"]
    return module["is_open"], module["reason"]


def test_a_closed_module_says_why_as_its_page_does(client, bearer, lumen):
    make_member(lumen, subject="chloe", applications=[])

    assert module_in(client.get(ME, headers=bearer("chloe"))) == (False, "The person has not been given Market Edge.")


def test_a_module_without_a_line_in_the_catalogue_is_closed(client, bearer):
    make_member(make_organisation(), subject="ben")

    assert module_in(client.get(ME, headers=bearer("ben"))) == (False, "The module is not in the catalogue.")


def test_the_answer_is_about_the_organisation_of_the_call(client, bearer, lumen):
    greta = make_member(lumen, "analyst", subject="greta")
    make_member(make_organisation("Northgate"), "viewer", user=greta, applications=[])

    answer = client.get(ME, headers={**bearer("greta"), "X-Organization-ID": "northgate"}).json()
    by_path = client.get("/api/v1/organisations/northgate/me", headers=bearer("greta")).json()

    assert (answer["tenant"]["slug"], answer["user"]["role"]) == ("northgate", "viewer")
    assert answer["user"]["application_access"]["MARKET_EDGE"] is False
    assert [place["slug"] for place in answer["organisations"]] == ["lumen", "northgate"]
    assert by_path == answer


def test_the_neighbours_answer_is_not_to_be_had(client, bearer, lumen):
    make_member(make_organisation("Elsewhere"), subject="eve")

    answers = [
        client.get(ME, headers={**bearer("eve"), "X-Organization-ID": "lumen"}),
        client.get("/api/v1/organisations/lumen/me", headers=bearer("eve")),
    ]

    assert [answer.status_code for answer in answers] == [403, 404]


def test_somebody_of_no_organisation_learns_that(client, bearer, lumen):
    make_user(subject="jack")

    answer = client.get(ME, headers=bearer("jack")).json()

    assert (answer["tenant"], answer["user"]["organisation_id"], answer["permissions"]) == (None, None, [])
    assert {entry["reason"] for entry in answer["applications"] + answer["modules"]} == {
        "The person belongs to no organisation."
    }
    assert set(answer["user"]["application_access"].values()) == {False}


def test_in_a_suspended_organisation_everything_is_closed_with_that_reason(client, bearer):
    offer_market_edge_core()
    make_member(make_organisation(status="suspended"), "admin", subject="hugo")

    answer = client.get(ME, headers=bearer("hugo")).json()

    assert answer["tenant"]["status"] == "suspended"
    assert {entry["reason"] for entry in answer["applications"] + answer["modules"]} == {
        "The organisation is suspended."
    }
    assert set(answer["user"]["application_access"].values()) == {False}


def test_a_superuser_acting_in_an_organisation(client, bearer, lumen):
    make_superuser(subject="sana")

    answer = client.get(ME, headers={**bearer("sana"), "X-Organization-ID": "lumen"}).json()

    assert (answer["user"]["role"], answer["tenant"]["role"], answer["tenant"]["is_acting"]) == (
        "super_admin",
        "viewer",
        True,
    )
    assert "manage:feature_flags" in answer["permissions"]
    assert set(answer["user"]["application_access"].values()) == {True}


def test_only_superusers_have_the_platforms_permissions(client, bearer, lumen):
    make_member(lumen, "admin", subject="amara", is_staff=True)

    permissions = client.get(ME, headers=bearer("amara")).json()["permissions"]

    assert permissions == ["load:prices", "read:markets"]


def test_a_change_of_role_holds_from_the_next_call_on(client, bearer, lumen):
    from tenants import scope

    ben = make_member(lumen, "viewer", subject="ben")
    before = client.get(ME, headers=bearer("ben")).json()["user"]["role"]
    with scope.login():
        ben.memberships.update(role="admin")

    assert (before, client.get(ME, headers=bearer("ben")).json()["user"]["role"]) == ("viewer", "admin")


def test_a_page_of_ours_may_ask_by_session(client, lumen):
    client.force_login(make_member(lumen, email="ben@lumen.example"))

    assert client.get(ME).json()["user"]["email"] == "ben@lumen.example"


def test_it_asks_the_same_number_of_queries_whatever_there_is(client, bearer, lumen):
    ben = make_member(lumen, subject="ben")
    counts = []
    for more in (0, 3):
        for number in range(more):
            make_member(make_organisation(), user=ben)
            make_module(f"another_{number}")
        with CaptureQueriesContext(connection) as queries:
            client.get(ME, headers={**bearer("ben"), "X-Organization-ID": "lumen"})
        counts.append(len(queries))

    assert counts == [8, 8]
