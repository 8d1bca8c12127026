"""/api/v1/flags/: what pages of our own may know of flags."""

import pytest
from django.test import Client

from tests.factories import make_client_token, make_member, make_organisation, make_user
from tests.modules.flags.documents import body, document, override

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/flags/"
HERE = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def ben(flag_store):
    person = make_member(make_organisation("Lumen"), subject="auth0|ben")
    for_ben = override(target={"person": str(person.public_id)})
    flags = {
        "shown": body(visible_to_clients=True),
        "bens": body(visible_to_clients=True, enabled=False, overrides=[for_ben]),
        "hidden": body(),
    }
    flag_store._adopt(7, document(**flags))
    flag_store._look = lambda: True
    return person


EXPECTED = {
    "release": 7,
    "flags": [
        {"key": "shown", "is_on": True, "value": True, "variant": "on", "reason": "in the rollout", "rung": 11},
        {"key": "bens", "is_on": True, "value": True, "variant": "on", "reason": "override for the person", "rung": 6},
    ],
}


@pytest.mark.parametrize("address", [ADDRESS, ADDRESS.rstrip("/")])
def test_a_page_of_our_own_is_told_what_clients_may_see(ben, address):
    browser = Client()
    browser.force_login(ben)

    assert browser.get(address, headers=HERE).json() == EXPECTED


def test_an_access_token_is_told_the_same(client, bearer, ben):
    assert client.get(ADDRESS, headers=bearer("auth0|ben")).json() == EXPECTED


def test_somebody_else_gets_their_own_answers(client, bearer, ben):
    make_member(make_organisation("Abbey"), subject="auth0|iris")

    told = client.get(ADDRESS, headers=bearer("auth0|iris")).json()

    assert {one["key"]: one["is_on"] for one in told["flags"]} == {"shown": True, "bens": False}


def test_those_without_an_organisation_and_clients_are_refused(client, bearer, ben):
    make_user(subject="auth0|nobody")
    token = make_client_token(make_organisation("Abbey"))

    answers = [
        client.get(ADDRESS, headers=sent) for sent in ({}, bearer("auth0|nobody"), {"Authorization": f"Bearer {token}"})
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (401, "unauthenticated"),
        (403, "no_organisation"),
        (403, "not_for_client_tokens"),
    ]
