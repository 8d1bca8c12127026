"""The first story: an analyst loads prices and reads figures; a superuser closes the module for all and opens it."""

import csv
import io
import re

import numpy
import pytest

from tests.journeys.waiting import until_it_answers

PRICES = [("Plaza", 9.5), ("Plaza", 10.5), ("Regal Row", 12.0), ("Regal Row", 14.0), ("Odeon Square", 8.0)]


@pytest.fixture
def price_file() -> dict:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["market", "competitor", "product", "price", "currency", "collected_at"])
    for day, (competitor, price) in enumerate(PRICES, start=1):
        rows.writerow(["Journey Town", competitor, "Adult ticket", f"{price:.2f}", "GBP", f"2026-10-{day:02}"])
    return {"name": "prices.csv", "mimeType": "text/csv", "buffer": text.getvalue().encode()}


def load(page, price_file) -> None:
    page.goto("/o/lumen-cinemas/market-edge-core/")
    page.get_by_role("link", name="Load prices").first.click()
    page.locator("input[type=file]").set_input_files(price_file)
    page.locator("main form button[type=submit]").first.click()
    page.get_by_role("button", name=re.compile("^Load")).click()


def test_an_analyst_loads_prices_and_sees_figures_that_agree_with_an_independent_computation(sign_in, price_file):
    page = sign_in("Ben Castellan")

    load(page, price_file)
    page.goto("/o/lumen-cinemas/market-edge-core/")
    page.get_by_role("link", name="Journey Town").click()
    shown = page.locator("main").inner_text()

    values = numpy.array([price for _, price in PRICES])
    expected = [values.mean(), numpy.median(values), values.std(ddof=1), values.min(), values.max()]
    assert [f"{figure:.2f}" for figure in expected if f"{figure:.2f}" not in shown] == []
    assert page.locator("figure[data-chart] canvas").count() == 1


def switch_flag(page, enabled: bool) -> None:
    page.goto("/admin/flags/flag/?q=market_edge_v2")
    page.get_by_role("link", name="market_edge_v2").click()
    page.locator("input[name=is_enabled]").set_checked(enabled)
    page.locator("[name=reason]").last.fill("journey")
    page.get_by_role("button", name="Preview…").click()
    page.get_by_role("button", name="Publish").click()
    page.get_by_text("Published as release").wait_for()


def test_a_superuser_closes_the_module_for_everybody_and_opens_it_again(sign_in):
    analyst, superuser = sign_in("Esme Okonjo"), sign_in("Sana Whitlock")
    markets = "/o/harbour-hotels/market-edge-core/"
    before = analyst.goto(markets).status

    switch_flag(superuser, enabled=False)
    until_it_answers(analyst, markets, 403)
    words = analyst.locator("main").inner_text()
    switch_flag(superuser, enabled=True)
    until_it_answers(analyst, markets, 200)

    assert before == 200
    assert "market_edge_v2" in words
