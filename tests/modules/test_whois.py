"""One command answers who somebody is, why they cannot sign in, and why a page is closed to them."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Session
from tenants import audit, scope
from tests.accounts.operating import events, run, run_json
from tests.factories import (
    make_invitation,
    make_member,
    make_organisation,
    make_superuser,
    make_user,
    offer_market_edge_core,
)

pytestmark = pytest.mark.django_db
ANN = "ann@example.com"
NOW = timezone.now()


@pytest.fixture
def lumen():
    return make_organisation("Lumen")


def make_ann(organisation: Any, role: str = "viewer", **fields: Any) -> Any:
    return make_member(organisation, role, email=ANN, subject="auth0|0123456789abcdef", **fields)


def record(action: str, **data: Any) -> None:
    with scope.login():
        audit.record(action, **data)


def problems(*arguments: str) -> list[tuple[str, str]]:
    findings = run_json("whois", *arguments)["findings"]
    return [(finding["subject"], finding["says"]) for finding in findings if finding["state"] == "problem"]


def test_somebody_who_can_sign_in_is_told_as_they_are(lumen):
    person = make_ann(lumen, "analyst", applications=["market_edge"], name="Ann Marlow")
    Client(headers={"X-Forwarded-Proto": "https"}).force_login(person)
    record("person.signed_in", by=person)

    told, code = run("whois", "ANN@example.com")

    assert code == 0
    for words in (
        "person: Ann Marlow, here since",
        "identity: auth0|01…def at https://issuer.example/",
        "membership: analyst in Lumen (lumen)",
        "applications: in lumen: Market Edge",
        "sessions: 1, the newest of",
        "signed in: ",
    ):
        assert words in told


def test_no_session_key_and_no_whole_subject_is_told(lumen):
    person = make_ann(lumen)
    Client(headers={"X-Forwarded-Proto": "https"}).force_login(person)

    for told, _ in (run("whois", ANN), run("whois", ANN, "--json")):
        assert Session.objects.get().session_key not in told
        assert "0123456789abcdef" not in told


def test_the_same_is_there_in_json(lumen):
    make_ann(lumen, "analyst", applications=["market_edge"])

    answer = run_json("whois", ANN)

    assert (answer["person"]["email"], answer["person"]["is_active"], answer["exit"]) == (ANN, True, 0)
    assert answer["memberships"] == [
        {"organisation": "lumen", "role": "analyst", "is_suspended": False, "applications": ["market_edge"]}
    ]
    assert answer["sessions"] == {"count": 0, "newest": None}


def test_looking_changes_and_records_nothing(lumen):
    make_ann(lumen)

    run("whois", ANN, "--explain", "/o/lumen/")

    assert events() == []


def test_nobody_with_an_open_invitation_is_expected(lumen):
    make_invitation(lumen, ANN)

    told, code = run("whois", ANN)

    assert ("nobody has this address yet: an open invitation lets them in" in told, code) == (True, 0)


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        (
            {"created_at": timezone.now() - timedelta(days=9), "expires_at": timezone.now() - timedelta(days=1)},
            "expired",
        ),
        ({"withdrawn_at": NOW}, "withdrawn"),
    ],
)
def test_an_invitation_that_is_over_explains_why_nobody_gets_in(lumen, fields, state):
    make_invitation(lumen, ANN, **fields)

    told, code = run("whois", ANN)

    assert ("no open invitation lets it in" in told, f"to Lumen as viewer: {state}" in told, code) == (True, True, 1)


def test_an_address_that_nobody_has_is_told_with_those_that_come_nearest():
    make_user("anne@example.com")

    assert "Did you mean anne@example.com?" in run("whois", ANN)[0]


def test_each_thing_that_keeps_somebody_out_is_a_problem():
    suspended = make_organisation("Lumen", status="suspended")
    make_member(suspended, email=ANN, is_active=False)

    assert [subject for subject, _ in problems(ANN)] == ["person", "identity", "membership"]


def test_somebody_without_an_organisation_is_told_to_find_none():
    make_user(ANN, subject="s")

    assert problems(ANN) == [("membership", "none: signs in and finds no organisation")]


def test_a_superuser_needs_no_membership():
    make_superuser(email=ANN, subject="s")

    assert problems(ANN) == []


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("unverified", "verify the address"),
        ("no_address", "gets an e-mail address"),
        ("something_new", "the log has more"),
    ],
)
def test_a_refusal_since_the_last_sign_in_is_told_with_what_to_do(lumen, code, remedy):
    person = make_ann(lumen)
    record("person.signed_in", by=person)
    record("sign_in.refused", code=code, detail="", email="ANN@example.com", subject="other")

    told, ended = run("whois", ANN)

    assert (f", {code}, incident" in told, remedy in told.lower(), ended) == (True, True, 1)


def test_a_refusal_that_was_overcome_is_no_problem(lumen):
    person = make_ann(lumen)
    record("sign_in.refused", code="unverified", detail="", email=ANN)
    record("person.signed_in", by=person)

    assert (problems(ANN), len(run_json("whois", ANN)["refusals"])) == ([], 1)


def test_a_refusal_whose_reason_is_gone_is_no_problem(lumen):
    record("sign_in.refused", code="uninvited", detail="", email=ANN)
    make_invitation(lumen, ANN)

    assert (problems(ANN), len(run_json("whois", ANN)["refusals"])) == ([], 1)


def test_a_refusal_under_another_address_is_found_by_who_the_provider_says_it_is(lumen):
    make_ann(lumen)
    record("sign_in.refused", code="unverified", detail="", email="new@example.com", subject="auth0|0123456789abcdef")

    assert [subject for subject, _ in problems(ANN)] == ["refused"]


def test_other_peoples_refusals_are_not_told(lumen):
    make_ann(lumen)
    record("sign_in.refused", code="unverified", detail="", email="bob@example.com", subject="other")

    assert run_json("whois", ANN)["refusals"] == []


def test_refusals_that_name_nobody_are_counted():
    for code in ("provider_down", "provider_down", "stale"):
        record("sign_in.refused", code=code, detail="")

    assert run_json("whois", ANN)["refusals_of_nobody"] == {"provider_down": 2, "stale": 1}


def test_a_stranger_who_was_refused_is_found_by_their_address():
    record("sign_in.refused", code="uninvited", detail="", email=ANN, subject="s")

    told, _ = run("whois", ANN)

    assert "`provision_user EMAIL --organisation SLUG` lets them in" in told


@pytest.mark.parametrize(
    "url",
    ["/o/lumen/market-edge-core/", "https://marketedge.example/o/lumen/market-edge-core/", "/o/lumen/market-edge-core"],
)
def test_a_closed_module_is_explained_rung_by_rung(lumen, url):
    offer_market_edge_core()
    make_ann(lumen, applications=[])

    told, code = run("whois", ANN, "--explain", url)

    assert code == 1
    assert "is for people to whom the module is open in the organisation" in told
    assert "organisation: Lumen (lumen); a page of the module market_edge_core" in told
    assert "FAIL  8. The person has the application and the role: The person has not been given Market Edge." in told


def test_an_open_page_is_explained_with_0(lumen):
    offer_market_edge_core()
    make_ann(lumen)

    answer = run_json("whois", ANN, "--explain", "/o/lumen/market-edge-core/")

    assert (answer["explained"]["callers"], answer["explained"]["decision"]["is_open"], answer["exit"]) == (
        "module",
        True,
        0,
    )


@pytest.mark.parametrize(("role", "ended"), [("viewer", 1), ("analyst", 0)])
def test_the_role_that_a_page_asks_for_is_told_beyond_the_ladder(lumen, role, ended):
    offer_market_edge_core()
    make_ann(lumen, role)

    told, code = run("whois", ANN, "--explain", "/o/lumen/market-edge-core/load/")

    assert (f"the page asks for Analyst; the person's is {role.capitalize()}" in told, code) == (True, ended)


@pytest.mark.parametrize(
    ("url", "callers"),
    [("/sign-in/", "anybody"), ("/", "signed_in"), ("/admin/", "staff"), ("/o/lumen/", "seated")],
)
def test_every_address_says_whom_it_is_for(lumen, url, callers):
    make_ann(lumen)

    assert run_json("whois", ANN, "--explain", url)["explained"]["callers"] == callers


@pytest.mark.parametrize(("is_staff", "ended"), [(False, 1), (True, 0)])
def test_the_admin_site_is_for_staff(lumen, is_staff, ended):
    make_ann(lumen, is_staff=is_staff)

    assert run("whois", ANN, "--explain", "/admin/accounts/user/")[1] == ended


def test_a_page_of_an_organisation_that_somebody_does_not_belong_to_is_closed(lumen):
    make_ann(make_organisation("Elsewhere"))

    assert problems(ANN, "--explain", "/o/lumen/") == [
        ("2. The person belongs to the organisation", "The person does not belong to the organisation.")
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([ANN, "--explain", "https://elsewhere.example/o/lumen/"], "is not this product"),
        ([ANN, "--explain", "/no/such/page"], "leads nowhere"),
        ([ANN, "--explain", "lumen"], "neither a path"),
        ([ANN, "--explain", "https://[broken/"], "is not an address"),
        ([ANN, "--explain", "/o/lumin/"], "Did you mean lumen?"),
        (["ann"], "is not an e-mail address"),
    ],
)
def test_what_makes_no_sense_is_refused_with_2(lumen, arguments, words):
    make_ann(lumen)

    told, code = run("whois", *arguments)

    assert (words in told, code) == (True, 2)
