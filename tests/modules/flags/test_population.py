"""For whom flags are asked: the contexts of real organisations and people, as a request of theirs would have them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from modules import access
from modules.flags import population
from tenants import scope
from tenants.models import Organisation
from tenants.seats import seat_of
from tests.factories import make_entitlement, make_member, make_module, make_organisation, make_user

pytestmark = pytest.mark.django_db


def everybody() -> list[population.Somebody]:
    with scope.platform():
        return list(population.everybody(at=timezone.now()))


def as_a_request_has_it(person, organisation):
    with scope.organisation(organisation.pk):
        facts = access.load_facts(person, organisation, seat_of(person, organisation), at=timezone.now())
        return access.flag_context(facts)


def test_each_organisation_stands_there_once_for_itself_and_once_for_each_of_its_people():
    organisation = make_organisation(name="Lumen Cinemas", slug="lumen", sector="59140")
    person = make_member(organisation, email="ada@example.com")

    found = everybody()

    assert [(one.organisation, one.slug, one.person) for one in found] == [
        ("Lumen Cinemas", "lumen", ""),
        ("Lumen Cinemas", "lumen", "ada@example.com"),
    ]
    assert found[1].context == as_a_request_has_it(person, organisation)


def test_modules_are_those_that_the_organisation_has_and_staff_see_those_in_testing():
    organisation = make_organisation()
    module = make_module("market_edge_core", status="testing")
    make_entitlement(organisation, module)
    staff = make_member(organisation, user=make_user(is_staff=True))
    with scope.platform():
        of_person = population.context_of(organisation, staff, at=timezone.now())
        of_organisation = population.context_of(organisation, None, at=timezone.now())

    assert of_person == as_a_request_has_it(staff, organisation)
    assert (of_person.entitled_modules, of_organisation.entitled_modules) == ({"market_edge_core"}, frozenset())


def test_who_cannot_ask_is_not_counted():
    suspended = make_organisation(status=Organisation.Status.SUSPENDED)
    make_member(suspended)
    make_member(make_organisation(name="Open"), user=make_user(is_active=False))

    assert [(one.organisation, one.person) for one in everybody()] == [("Open", "")]


@pytest.mark.parametrize("count", [1, 3])
def test_it_takes_four_queries_however_many_there_are(count):
    for number in range(count):
        make_member(make_organisation(slug=f"number-{number}"))

    with scope.platform(), CaptureQueriesContext(connection) as queries:
        list(population.everybody(at=timezone.now()))

    assert len([one for one in queries if one["sql"].startswith("SELECT")]) == 4
