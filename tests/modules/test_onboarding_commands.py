"""Ops bring organisations and people in, and run the same again without harm."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Invitation, User
from modules.models import ApplicationGrant, Entitlement
from tenants import scope
from tenants.models import Membership, Organisation
from tests.accounts.operating import APPLY, events, run, run_json
from tests.factories import (
    make_entitlement,
    make_invitation,
    make_member,
    make_module,
    make_organisation,
    make_user,
)

pytestmark = pytest.mark.django_db
LUMEN = ("provision_organisation", "lumen", "--name", "Lumen", "--industry", "cinema", "--sector", "59140")
ANN = ("provision_user", "ann@example.com", "--organisation", "lumen", "--role", "analyst")


def there(model: Any, *fields: str) -> list[Any]:
    with scope.login():
        return sorted(model.objects.values_list(*fields))


def test_an_organisation_is_made_with_its_modules_and_its_first_admin_invited():
    make_module("extra")

    told, code = run(*LUMEN, "--plan", "enterprise", "--entitle", "extra", "--admin", "ann@example.com", *APPLY)

    assert (told.splitlines()[3], code) == ("3 changes made.", 0)
    assert there(Organisation, "slug", "industry", "sector", "plan") == [("lumen", "cinema", "59140", "enterprise")]
    assert there(Entitlement, "module__key", "ends_at") == [("extra", None)]
    assert there(Invitation, "email", "role") == [("ann@example.com", "admin")]
    assert User.objects.count() == 0
    assert events() == [
        (name, "ops@example.com", "asked for it")
        for name in ("organisation.created", "entitlement.saved", "invitation.made")
    ]


def test_a_dry_run_makes_nothing_of_it():
    make_module("extra")

    told, code = run(*LUMEN, "--entitle", "extra", "--admin", "ann@example.com")

    assert ("would: create the organisation Lumen (lumen, basic)" in told, code) == (True, 4)
    assert (Organisation.objects.count(), there(Invitation, "email"), events()) == (0, [], [])


def test_a_second_run_makes_0_changes():
    make_module("extra")
    whole = (*LUMEN, "--entitle", "extra", "--admin", "ann@example.com", *APPLY)
    run(*whole)
    before = events()

    answer = run_json(*whole)

    assert (answer["changes"], answer.get("drift"), answer["exit"]) == ([], None, 0)
    assert events() == before


def test_what_differs_is_told_and_stays():
    make_organisation("Lumen", plan="basic", industry="cinema", sector="59140")

    answer = run_json(*LUMEN, "--plan", "enterprise", *APPLY)

    assert answer["drift"] == [{"what": "plan of lumen", "is": "basic", "wanted": "enterprise"}]
    assert "--update changes it" in answer["findings"][0]["says"]
    assert (answer["changes"], there(Organisation, "plan")) == ([], [("basic",)])


def test_what_differs_is_changed_when_that_is_asked_for():
    make_organisation("Lumen", plan="basic", industry="cinema", sector="59140")

    answer = run_json(*LUMEN, "--plan", "enterprise", "--update", *APPLY)

    assert answer["changes"] == ["change plan of lumen from basic to enterprise"]
    assert there(Organisation, "plan") == [("enterprise",)]
    assert events() == [("organisation.changed", "ops@example.com", "asked for it")]


def test_options_that_are_not_given_are_not_compared():
    make_organisation("Lumen", plan="enterprise", industry="hotel")

    assert run_json("provision_organisation", "lumen")["findings"] == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"starts_at": timezone.now() + timedelta(days=3)}, "entitlement to extra"),
        ({"ends_at": timezone.now() + timedelta(days=3)}, "entitlement to extra"),
    ],
)
def test_an_entitlement_of_another_period_is_told_and_stays(options, words):
    make_entitlement(make_organisation("Lumen"), make_module("extra"), **options)

    answer = run_json("provision_organisation", "lumen", "--entitle", "extra", "--update", *APPLY)

    assert "the admin site changes it" in answer["findings"][0]["says"]
    assert ([line["what"] for line in answer["drift"]], answer["changes"]) == ([words], [])


def test_an_entitlement_that_has_ended_gives_way_to_a_new_one():
    now = timezone.now()
    make_entitlement(
        make_organisation("Lumen"),
        make_module("extra"),
        starts_at=now - timedelta(days=9),
        ends_at=now - timedelta(days=1),
    )

    assert run_json("provision_organisation", "lumen", "--entitle", "extra", *APPLY)["changes"] == [
        "entitle lumen to extra"
    ]


def test_a_module_that_the_plan_does_not_cover_is_said_to_stay_closed():
    make_module("extra", plan="enterprise")
    make_organisation("Lumen")

    assert (
        "stays closed: it needs the plan enterprise" in run("provision_organisation", "lumen", "--entitle", "extra")[0]
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["provision_organisation", "new"], "There is no organisation new yet: give its --name."),
        (["provision_organisation", "Not A Slug", "--name", "x"], "slug: Enter a valid"),
        (
            ["provision_organisation", "new", "--name", "x", "--sector", "cinema"],
            "sector: Enter a UK SIC 2007 code of two to five digits.",
        ),
        (["provision_organisation", "lumen", "--entitle", "extar"], "Did you mean extra?"),
        (["provision_organisation", "lumen", "--admin", "ann"], "is not an e-mail address"),
        (["provision_user", "ann@example.com", "--organisation", "lumin"], "Did you mean lumen?"),
    ],
)
def test_what_makes_no_sense_is_refused_with_2(arguments, words):
    make_organisation("Lumen")
    make_module("extra")

    told, code = run(*arguments, *APPLY)

    assert (words in told, code, events()) == (True, 2, [])


def test_an_unknown_person_creates_nothing_but_an_invitation():
    make_organisation("Lumen")

    told, code = run(*ANN, "--applications", "market_edge", *APPLY)

    assert (there(Invitation, "email", "role"), code) == ([("ann@example.com", "analyst")], 0)
    assert "applications: are given to members: run this again once they have signed in" in told
    assert (User.objects.count(), there(ApplicationGrant, "application")) == (0, [])


def test_a_known_person_becomes_a_member_with_applications_at_once():
    make_organisation("Lumen")
    make_user("ann@example.com")

    told, code = run(*ANN, "--applications", "market_edge", "causal_edge", *APPLY)

    assert ("3 changes made." in told, code) == (True, 0)
    assert there(Membership, "user__email", "role") == [("ann@example.com", "analyst")]
    assert there(ApplicationGrant, "application") == [("causal_edge",), ("market_edge",)]


@pytest.mark.parametrize("is_known", [True, False])
def test_provisioning_a_person_twice_makes_0_changes_the_second_time(is_known):
    make_organisation("Lumen")
    if is_known:
        make_user("ann@example.com")
    run(*ANN, "--applications", "market_edge", *APPLY)

    answer = run_json(*ANN, "--applications", "market_edge", *APPLY)

    assert (answer["changes"], answer.get("drift"), answer["exit"]) == ([], None, 0)


def test_a_member_with_another_role_keeps_it_and_more_applications_too():
    make_member(make_organisation("Lumen"), "admin", email="ann@example.com")

    answer = run_json(*ANN, "--applications", "market_edge", *APPLY)

    assert [line["what"] for line in answer["drift"]] == [
        "role of ann@example.com in lumen",
        "applications of ann@example.com",
    ]
    assert (answer["changes"], there(Membership, "role")) == ([], [("admin",)])


def test_an_open_invitation_with_another_role_stays():
    make_invitation(make_organisation("Lumen"), "ann@example.com", role="viewer")

    answer = run_json(*ANN, *APPLY)

    assert ([line["is"] for line in answer["drift"]], answer["changes"]) == (["viewer"], [])


def test_somebody_who_is_deactivated_is_not_brought_in():
    make_organisation("Lumen")
    make_user("ann@example.com", is_active=False)

    told, code = run(*ANN, *APPLY)

    assert ("is deactivated" in told, code, there(Membership, "role")) == (True, 1, [])
