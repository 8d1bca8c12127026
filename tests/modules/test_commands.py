"""Reference data, the demonstration and the explanation of access, from the command line."""

import io

import pytest
from django.core.management import CommandError, call_command

from modules.flags.models import Flag
from modules.models import AnalyticsModule
from tenants import scope
from tenants.models import AuditEvent, Membership, Organisation
from tests.factories import make_member, make_organisation, make_user, offer_market_edge_core

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, int]:
    """What was printed, and the exit code."""
    output = io.StringIO()
    try:
        call_command(*arguments, stdout=output)
    except SystemExit as ended:
        return output.getvalue(), int(ended.code or 0)
    except CommandError as refused:
        return str(refused), refused.returncode
    return output.getvalue(), 0


def test_a_dry_run_says_what_is_missing_and_writes_nothing():
    told, code = run("bootstrap")

    assert ("would add module market_edge_core" in told, code) == (True, 4)
    assert (AnalyticsModule.objects.count(), Flag.objects.count()) == (0, 0)


def test_a_second_run_changes_nothing():
    first, second = run("bootstrap", "--apply"), run("bootstrap", "--apply")

    assert "added flag market_edge_v2" in first[0]
    assert second == ("0 changes.\n", 0)


def test_the_demonstration_is_refused_outside_its_mode():
    told, code = run("load_demonstration")

    assert ("Set DEMONSTRATION=on" in told, code) == (True, 1)


def test_the_demonstration_loads_once(settings):
    settings.DEMONSTRATION = True
    run("bootstrap", "--apply")
    run("load_demonstration")
    with scope.login():
        before = (Organisation.objects.count(), Membership.objects.count(), AuditEvent.objects.count())

    run("load_demonstration")

    with scope.login():
        assert (Organisation.objects.count(), Membership.objects.count(), AuditEvent.objects.count()) == before


def test_access_is_explained_rung_by_rung():
    offer_market_edge_core()
    user = make_member(make_organisation("Lumen"), applications=[])

    told, code = run("explain_access", user.email, "lumen", "market_edge_core")

    lines = told.splitlines()
    assert ("CLOSED" in lines[0], len(lines), code) == (True, 11, 1)
    assert "8 NO  The person has the application and the role: The person has not been given Market Edge." in lines[8]


def test_open_access_ends_with_0():
    offer_market_edge_core()
    user = make_member(make_organisation("Lumen"))

    assert run("explain_access", user.email.upper(), "lumen", "market_edge_core")[1] == 0


def test_a_stranger_to_the_organisation_fails_the_second_rung():
    offer_market_edge_core()
    make_organisation("Lumen")

    assert "2 NO  The person belongs" in run("explain_access", make_user().email, "lumen", "market_edge_core")[0]


@pytest.mark.parametrize(
    ("person", "organisation", "words"),
    [("nobody@example.com", "lumen", "Nobody has the address"), ("somebody@example.com", "x", "no organisation x")],
)
def test_unknown_names_end_with_2(person, organisation, words):
    make_organisation("Lumen")
    make_user("somebody@example.com")

    told, code = run("explain_access", person, organisation, "market_edge_core")

    assert (words in told, code) == (True, 2)
