"""Role x route x organisation: what each kind of person may open, and what must never be so."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketedge import access_matrix
from marketedge.access_matrix import Row
from marketedge.routes import INSIDE, all_routes
from tenants.models import Organisation
from tests.factories import make_organisation, offer_market_edge_core
from tests.marketedge.test_check_access import MODULE, told

pytestmark = pytest.mark.django_db
ALL_WITH_A_SEAT = ("viewer", "analyst", "admin", "superuser")


def open_to(organisation: Organisation) -> dict[str, tuple[str, ...]]:
    return {row.path: row.open_to for row in access_matrix.rows(organisation, all_routes())}


def test_each_role_opens_what_it_may():
    offer_market_edge_core()

    told_of = open_to(make_organisation("Lumen"))

    assert told_of[INSIDE] == told_of[MODULE] == ALL_WITH_A_SEAT
    assert told_of[f"{MODULE}load/"] == ("analyst", "admin")


def test_a_module_that_is_not_offered_is_closed_to_all():
    told_of = open_to(make_organisation("Lumen"))

    assert (told_of[INSIDE], told_of[MODULE]) == (ALL_WITH_A_SEAT, ())


def test_a_suspended_organisation_is_closed_to_all():
    offer_market_edge_core()
    lumen = make_organisation("Lumen")
    lumen.status = Organisation.Status.SUSPENDED

    assert set(open_to(lumen).values()) == {()}


@pytest.mark.parametrize(
    ("kinds", "says"),
    [
        (("nobody",), "/x is open to nobody"),
        (("somebody of another organisation", *ALL_WITH_A_SEAT), "/x is open to somebody of another organisation"),
        (("viewer", "admin"), "/x is open to viewer and closed to analyst"),
        (("analyst",), "/x is open to analyst and closed to admin"),
    ],
)
def test_what_must_never_be_so_is_said(kinds, says):
    lumen = make_organisation("Lumen")

    report = access_matrix.examine(lumen, [Row("lumen", "x", kinds)])

    assert says in [finding.says for finding in report.findings if finding.state == "problem"]


def test_an_open_address_in_a_suspended_organisation_is_said():
    lumen = make_organisation("Lumen")
    lumen.status = Organisation.Status.SUSPENDED

    report = access_matrix.examine(lumen, [Row("lumen", "x", ALL_WITH_A_SEAT)])

    assert [finding.says for finding in report.findings] == ["/x is open although the organisation is suspended"]


def test_the_command_looks_through_every_organisation():
    offer_market_edge_core()
    make_organisation("Lumen")
    make_organisation("Harbour")

    answer = told()

    subjects = [finding["subject"] for finding in answer["findings"] if finding["state"] == "ok"]
    assert subjects[-2:] == ["organisation harbour", "organisation lumen"]
    assert {"organisation": "lumen", "path": f"{MODULE}load/", "open_to": ["analyst", "admin"]} in answer["matrix"]


def test_each_organisation_costs_the_same_number_of_questions():
    offer_market_edge_core()
    routes = all_routes()

    counts = []
    for name in ("Lumen", "Harbour", "Northgate"):
        organisation = make_organisation(name)
        with CaptureQueriesContext(connection) as asked:
            access_matrix.rows(organisation, routes)
        counts.append(len(asked))

    assert len(set(counts)) == 1
    assert counts[0] <= 10
