"""What a preview says about a file, before anything is loaded."""

from datetime import UTC, datetime

import pytest

from modules.market_edge_core import preview
from tenants import scope
from tests.factories import make_organisation
from tests.modules.market_edge_core.factories import ROW, csv_of, make_competitor, make_market, make_prices

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
COUNTS = {
    "rows": 0,
    "new": 0,
    "corrected": 0,
    "unchanged": 0,
    "repeated": 0,
    "new_markets": 0,
    "new_competitors": 0,
}


@pytest.fixture
def ours():
    return make_organisation()


def inspect(organisation, *rows: str) -> preview.Preview:
    with scope.organisation(organisation.pk):
        return preview.inspect(csv_of(*rows), organisation=organisation, now=NOW)


def with_a_stored_price(organisation, price: str = "12.50", **fields) -> None:
    make_prices(make_competitor(make_market(organisation, "CITY Centre"), "rival"), price, source="Website", **fields)


def test_everything_is_new_to_an_empty_organisation(ours):
    counts = inspect(ours, ROW, ROW.replace("01-05", "01-06"), ROW.replace("Rival", "Other")).counts

    assert counts == COUNTS | {"rows": 3, "new": 3, "new_markets": 1, "new_competitors": 2}


def test_what_is_on_record_is_unchanged_whatever_the_case_of_its_names(ours):
    with_a_stored_price(ours)

    assert inspect(ours, ROW).counts == COUNTS | {"rows": 1, "unchanged": 1}


@pytest.mark.parametrize(
    "stored", [{"price": "12.00"}, {"currency": "EUR"}, {"source": "Phone"}, {"is_promotion": True}], ids=str
)
def test_another_offer_on_record_is_corrected(ours, stored):
    make_prices(
        make_competitor(make_market(ours, "City centre"), "Rival"),
        stored.pop("price", "12.50"),
        **{"source": "Website", **stored},
    )

    assert inspect(ours, ROW).counts == COUNTS | {"rows": 1, "corrected": 1}


def test_another_organisations_prices_are_not_on_record(ours):
    with_a_stored_price(make_organisation())

    assert inspect(ours, ROW).counts["new"] == 1


def test_the_same_competitor_name_in_two_markets_is_two_competitors(ours):
    counts = inspect(ours, ROW, ROW.replace("City centre", "Harbour")).counts

    assert counts == COUNTS | {"rows": 2, "new": 2, "new_markets": 2, "new_competitors": 2}


def test_a_row_that_repeats_another_is_counted_and_not_loaded_twice(ours):
    counts = inspect(ours, ROW, ROW.replace("City centre,Rival", "CITY CENTRE,RIVAL")).counts

    assert counts == COUNTS | {"rows": 2, "new": 1, "repeated": 1, "new_markets": 1, "new_competitors": 1}


def test_rows_that_contradict_each_other_are_both_problems(ours):
    found = inspect(ours, ROW, ROW.replace("2026-01-05", "2026-01-04"), ROW.replace("12.50", "12.00"))

    assert [(problem.line, problem.column, problem.value, problem.reason) for problem in found.problems] == [
        (2, "price", "12.50", "Line 4 has the same competitor, product and time with another price: keep one of them."),
        (4, "price", "12.00", "Line 2 has the same competitor, product and time with another price: keep one of them."),
    ]


def test_problems_are_listed_in_the_order_of_their_lines(ours):
    found = inspect(ours, ROW, ROW.replace("12.50", "cheap"), ROW.replace("12.50", "12.00"))

    assert [problem.line for problem in found.problems] == [2, 3, 4]


def test_more_rows_than_one_batch_are_compared(ours, monkeypatch):
    monkeypatch.setattr(preview, "BATCH", 2)
    with_a_stored_price(ours)
    rows = [ROW, *(ROW.replace("01-05", f"02-0{day}") for day in range(1, 5))]

    counts = inspect(ours, *rows).counts

    assert (counts["new"], counts["unchanged"]) == (4, 1)
