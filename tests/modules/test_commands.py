"""Reference data, the demonstration and the explanation of access, from the command line."""

import pytest

from modules.flags.models import Flag
from modules.models import AnalyticsModule
from tenants import scope
from tenants.models import AuditEvent, Membership, Organisation
from tests.accounts.operating import APPLY, events, run, run_json
from tests.factories import make_member, make_organisation, make_user, offer_market_edge_core, release_flags

pytestmark = pytest.mark.django_db


def test_a_dry_run_says_what_is_missing_and_writes_nothing():
    told, code = run("bootstrap")

    assert ("would: add module market_edge_core" in told, code) == (True, 4)
    assert (AnalyticsModule.objects.count(), Flag.objects.count()) == (0, 0)


def test_a_second_run_changes_nothing():
    first, second = run("bootstrap", "--apply"), run("bootstrap", "--apply")

    assert "add flag market_edge_v2" in first[0]
    assert second == ("0 changes made.\n", 0)


def test_the_audit_keeps_who_loaded_reference_data_and_why_when_they_say():
    run("bootstrap", *APPLY)

    assert ("module.saved", "ops@example.com", "asked for it") in events()


def test_a_release_loads_reference_data_without_being_asked_why():
    run("bootstrap", "--apply")

    assert ("module.saved", "", "reference data") in events()


def change_by_hand() -> None:
    with scope.login():
        AnalyticsModule.objects.filter(key="market_edge_core").update(status="deprecated")
        Flag.objects.filter(key="export_functionality").update(is_killed=True)
        release_flags()


def test_what_people_have_set_differently_is_told_and_stays():
    run("bootstrap", "--apply")
    change_by_hand()

    answer = run_json("bootstrap", "--apply")

    assert answer["drift"] == [
        "module market_edge_core: status is 'deprecated', the reference has 'active'",
        "flag export_functionality: is_killed is True, the reference has False",
    ]
    assert (answer["changes"], answer["exit"]) == ([], 0)
    assert AnalyticsModule.objects.get().status == "deprecated"


def test_what_an_older_release_changed_without_publishing_is_published():
    run("bootstrap", "--apply")
    with scope.login():
        Flag.objects.filter(key="export_functionality").update(is_killed=True)

    first, second = run("bootstrap", "--apply"), run("bootstrap", "--apply")

    assert "of the flags, as their tables say" in first[0]
    assert second[0].startswith("0 changes made.")


def test_a_difference_is_a_problem_to_those_who_are_strict():
    run("bootstrap", "--apply")
    change_by_hand()

    assert run("bootstrap", "--strict")[1] == 1


def test_a_module_that_no_code_brings_any_more_is_told():
    run("bootstrap", "--apply")
    with scope.login():
        AnalyticsModule.objects.create(key="gone", name="Gone", application="market_edge")

    assert run_json("bootstrap")["drift"] == ["module gone is in the catalogue, and no code brings it"]


def test_the_demonstration_is_refused_outside_its_mode():
    told, code = run("load_demonstration", "--apply")

    assert ("Set DEMONSTRATION=on" in told, code) == (True, 2)


def test_a_dry_run_of_the_demonstration_leaves_nothing_behind(settings):
    settings.DEMONSTRATION = True
    run("bootstrap", "--apply")

    told, code = run("load_demonstration")

    assert ("would: add 5 organisations" in told, code, Organisation.objects.count()) == (True, 4, 0)


def test_the_demonstration_loads_once(settings):
    settings.DEMONSTRATION = True
    run("bootstrap", "--apply")
    run("load_demonstration", "--apply")
    with scope.login():
        before = (Organisation.objects.count(), Membership.objects.count(), AuditEvent.objects.count())

    told = run("load_demonstration", "--apply")

    assert told == ("0 changes made.\n", 0)
    with scope.login():
        assert (Organisation.objects.count(), Membership.objects.count(), AuditEvent.objects.count()) == before


def test_access_is_explained_rung_by_rung():
    offer_market_edge_core()
    user = make_member(make_organisation("Lumen"), applications=[])

    told, code = run("explain_access", user.email, "lumen", "market_edge_core")

    failed = "FAIL  8. The person has the application and the role: The person has not been given Market Edge."
    assert ("in Lumen, Market prices: CLOSED" in told, failed in told, code) == (True, True, 1)
    assert (told.count("ok    "), told.count("not reached")) == (7, 1)


def test_open_access_ends_with_0():
    offer_market_edge_core()
    user = make_member(make_organisation("Lumen"))

    assert run("explain_access", user.email.upper(), "lumen", "market_edge_core")[1] == 0


def test_a_stranger_to_the_organisation_fails_the_second_rung():
    offer_market_edge_core()
    make_organisation("Lumen")

    assert "FAIL  2. The person belongs" in run("explain_access", make_user().email, "lumen", "market_edge_core")[0]


@pytest.mark.parametrize(
    ("person", "organisation", "words"),
    [("nobody@example.com", "lumen", "Nobody has the address"), ("somebody@example.com", "x", "no organisation x")],
)
def test_unknown_names_end_with_2(person, organisation, words):
    make_organisation("Lumen")
    make_user("somebody@example.com")

    told, code = run("explain_access", person, organisation, "market_edge_core")

    assert (words in told, code) == (True, 2)
