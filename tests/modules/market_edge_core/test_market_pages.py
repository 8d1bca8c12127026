"""The pages that everybody of the organisation reads: the markets, and one market in numbers."""

import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tenants.models import Role
from tests.factories import make_member, make_organisation, offer_market_edge_core
from tests.modules.market_edge_core.factories import make_competitor, make_market, make_prices

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours():
    offer_market_edge_core()
    return make_organisation("Ours")


@pytest.fixture
def viewer(client, ours):
    client.force_login(make_member(ours, Role.VIEWER))
    return client


def markets_url(organisation) -> str:
    return reverse("market_edge_core:markets", kwargs={"organisation_slug": organisation.slug})


def market_url(organisation, market) -> str:
    kwargs = {"organisation_slug": organisation.slug, "public_id": market.public_id}
    return reverse("market_edge_core:market", kwargs=kwargs)


def names_on(response) -> list[str]:
    return [market.name for market in response.context["page_obj"]]


def errors_on(response) -> dict[str, list[str]]:
    return dict(response.context["form"].errors)


def queries_of(client: Client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def with_competitors(organisation, count: int):
    market = make_market(organisation, "Harbour")
    for number in range(count):
        make_prices(make_competitor(market), 10 + number, 12)
    return market


def test_markets_are_listed_in_reading_order_with_their_counts(viewer, ours):
    make_market(ours, "beta")
    market = make_market(ours, "Alpha")
    make_competitor(market)
    make_prices(make_competitor(market), 1, 2, 3)

    listed = viewer.get(markets_url(ours)).context["page_obj"].object_list

    assert [(m.name, m.competitor_count, m.observation_count, m.latest_at) for m in listed] == [
        ("Alpha", 2, 3, datetime(2026, 1, 5, tzinfo=UTC)),
        ("beta", None, None, None),
    ]


def test_another_organisations_markets_are_not_listed(viewer, ours):
    make_market(make_organisation("Theirs"), "Secret")
    make_market(ours, "Harbour")

    assert names_on(viewer.get(markets_url(ours))) == ["Harbour"]


def test_markets_can_be_searched_by_a_part_of_their_name(viewer, ours):
    make_market(ours, "Harbour")
    make_market(ours, "Airport")

    assert names_on(viewer.get(markets_url(ours), {"q": "HARB"})) == ["Harbour"]


@pytest.mark.parametrize("text", ["\x00", "x" * 201])
def test_a_search_that_cannot_be_is_told_so(viewer, ours, text):
    make_market(ours)

    response = viewer.get(markets_url(ours), {"q": text})

    assert (response.status_code, names_on(response), list(errors_on(response))) == (200, [], ["q"])


@pytest.mark.parametrize("page", ["2", "-1", "x", "\x00", "9" * 30])
def test_a_long_list_has_pages_and_any_number_leads_to_one(viewer, ours, page):
    for number in range(26):
        make_market(ours, f"Market {number:02}")

    assert names_on(viewer.get(markets_url(ours), {"page": page}))


@pytest.mark.parametrize(
    ("role", "words"), [(Role.ANALYST, "Load a CSV file"), (Role.VIEWER, "Prices are loaded by analysts")]
)
def test_an_empty_list_says_how_prices_get_there(client, ours, role, words):
    client.force_login(make_member(ours, role))

    assert words in client.get(markets_url(ours)).content.decode()


def test_the_list_asks_as_often_for_three_markets_as_for_one(viewer, ours):
    make_prices(make_competitor(make_market(ours)), 1)
    once = queries_of(viewer, markets_url(ours))

    for _ in range(2):
        make_prices(make_competitor(make_market(ours)), 1)

    assert queries_of(viewer, markets_url(ours)) == once


def test_a_market_page_asks_as_often_for_three_competitors_as_for_one(viewer, ours):
    market = with_competitors(ours, 1)
    once = queries_of(viewer, market_url(ours, market))

    for _ in range(2):
        make_prices(make_competitor(market), 9)

    assert queries_of(viewer, market_url(ours, market)) == once


def test_a_market_shows_its_figures(viewer, ours):
    market = make_market(ours)
    make_prices(make_competitor(market, "Cheap"), 10, 20)
    make_prices(make_competitor(market, "Dear"), "1234.50")

    page = viewer.get(market_url(ours, market)).content.decode()

    tiles = re.findall(r"<dt>([^<]+)</dt>\s*<dd>([^<]+)</dd>", page)
    assert tiles == [
        ("Prices", "3"),
        ("Mean", "421.50"),
        ("Median", "20.00"),
        ("Lower quartile", "15.00"),
        ("Upper quartile", "627.25"),
        ("Minimum", "10.00"),
        ("Maximum", "1,234.50"),
        ("Range", "1,224.50"),
        ("Standard deviation", "704.10"),
    ]


def test_the_table_holds_the_numbers_that_the_chart_draws(viewer, ours):
    market = make_market(ours)
    make_prices(make_competitor(market), "1234.5")

    page = viewer.get(market_url(ours, market)).content.decode()

    assert set(re.findall(r'data-value="([^"]*)"', page)) == {"1234.500000", ""}


def test_a_single_price_has_a_dash_for_its_standard_deviation(viewer, ours):
    market = with_competitors(ours, 0)
    make_prices(make_competitor(market), 10)

    page = viewer.get(market_url(ours, market)).content.decode()

    # In its tile, and in its cell of the table.
    assert page.count("\N{EN DASH}</") == 2


def test_without_a_choice_the_latest_90_days_in_the_usual_currency_are_shown(viewer, ours):
    market = make_market(ours)
    competitor = make_competitor(market)
    make_prices(competitor, *range(100))
    make_prices(competitor, 7, currency="EUR", product="Other")

    response = viewer.get(market_url(ours, market))

    selection = response.context["selection"]
    assert (str(selection.from_date), str(selection.to_date)) == ("2025-10-07", "2026-01-05")
    assert (selection.currency, response.context["figures"].count) == ("GBP", 91)


def test_a_choice_is_followed(viewer, ours):
    market = make_market(ours)
    competitor = make_competitor(market)
    make_prices(competitor, 1, 2, 3)
    make_prices(competitor, 7, 8, 9, currency="EUR", product="Other")
    choice = {"from_date": "2026-01-04", "to_date": "2026-01-04", "product": "Other", "currency": "EUR"}

    assert viewer.get(market_url(ours, market), choice).context["figures"].mean == 8


@pytest.mark.parametrize(
    ("choice", "field"),
    [
        ({"from_date": "yesterday"}, "from_date"),
        ({"from_date": "\x00"}, "from_date"),
        ({"from_date": ""}, "from_date"),
        ({"to_date": "9999-12-31"}, "to_date"),
        ({"from_date": "0001-01-01"}, "from_date"),
        ({"from_date": "2026-02-01", "to_date": "2026-01-01"}, "to_date"),
        ({"product": "Unknown"}, "product"),
        ({"product": "\x00"}, "product"),
        ({"currency": "EUR"}, "currency"),
        ({"currency": "\x00"}, "currency"),
    ],
    ids=str,
)
def test_a_choice_that_cannot_be_is_told_so(viewer, ours, choice, field):
    response = viewer.get(market_url(ours, with_competitors(ours, 1)), choice)

    assert (response.status_code, list(errors_on(response)), "figures" in response.context) == (200, [field], False)


def test_a_choice_without_prices_says_so(viewer, ours):
    choice = {"from_date": "2020-01-01", "to_date": "2020-01-31"}

    page = viewer.get(market_url(ours, with_competitors(ours, 1)), choice).content.decode()

    assert "No prices in this selection" in page


def test_a_market_without_prices_says_so(viewer, ours):
    assert "No prices yet" in viewer.get(market_url(ours, with_competitors(ours, 0))).content.decode()


def test_names_from_a_file_are_shown_as_text(viewer, ours):
    market = make_market(ours, "<script>alert(1)</script>")
    make_prices(make_competitor(market, "<img src=x>"), 10, product="<b>")

    page = viewer.get(market_url(ours, market)).content.decode()

    assert ("<script>alert" in page, "<img src=x>" in page, "<b>" in page.replace("<b class", "")) == (False,) * 3


def test_another_organisations_market_does_not_exist_here(viewer, ours):
    theirs = make_organisation("Theirs")
    market = with_competitors(theirs, 1)

    assert viewer.get(market_url(ours, market)).status_code == 404


def test_a_stranger_finds_neither_page(client, ours):
    client.force_login(make_member(make_organisation("Theirs"), Role.ADMIN))
    market = with_competitors(ours, 1)

    answers = [client.get(url).status_code for url in (markets_url(ours), market_url(ours, market))]

    assert answers == [404, 404]
