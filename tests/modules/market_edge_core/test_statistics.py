"""The numbers of the market page, held against numpy."""

import random
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy
import pytest

from modules.market_edge_core import statistics
from modules.market_edge_core.statistics import Selection, compare_competitors, describe, latest_by_currency
from tenants import scope
from tests.factories import make_organisation
from tests.modules.market_edge_core.factories import make_competitor, make_market, make_prices

pytestmark = pytest.mark.django_db
QUANTILES = {"median": 0.5, "lower_quartile": 0.25, "upper_quartile": 0.75}


@pytest.fixture
def market():
    """A market of an organisation whose scope is entered."""
    market = make_market(make_organisation())
    with scope.organisation(market.organisation_id):
        yield market


def whole(market, **narrower) -> Selection:
    return Selection(
        market, **{"from_date": date(2020, 1, 1), "to_date": date(2026, 12, 31), "currency": "GBP", **narrower}
    )


def compare(market, **narrower):
    selection = whole(market, **narrower)
    return compare_competitors(selection, describe(selection))


def some_prices(seed: int, count: int) -> list[Decimal]:
    chance = random.Random(seed)
    return [Decimal(chance.randrange(0, 2_000_000)) / 100 for _ in range(count)]


def by_numpy(prices: list[Decimal]) -> dict[str, float]:
    values = numpy.array([float(price) for price in prices])
    return {
        "count": len(values),
        "mean": numpy.mean(values),
        "minimum": numpy.min(values),
        "maximum": numpy.max(values),
        "range": numpy.ptp(values),
        "standard_deviation": numpy.std(values, ddof=1),
        **{name: numpy.quantile(values, fraction) for name, fraction in QUANTILES.items()},
    }


def as_floats(figures, names) -> dict[str, float]:
    return {name: float(getattr(figures, name)) for name in names}


@pytest.mark.parametrize("count", [2, 3, 4, 37, 400])
def test_a_markets_figures_are_numpys(market, count):
    prices = some_prices(count, count)
    make_prices(make_competitor(market), *prices)

    expected = by_numpy(prices)

    assert as_floats(describe(whole(market)), expected) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_each_competitors_figures_are_numpys(market):
    prices = {name: some_prices(seed, 20 + seed) for seed, name in enumerate(["A", "B", "C", "D"])}
    for name, theirs in prices.items():
        make_prices(make_competitor(market, name), *theirs)

    for figures in compare(market):
        expected = by_numpy(prices[figures.name])
        assert as_floats(figures, expected) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_rank_is_the_order_of_the_means(market):
    means = {}
    for seed, name in enumerate(["A", "B", "C", "D", "E"]):
        theirs = some_prices(seed, 15)
        make_prices(make_competitor(market, name), *theirs)
        means[name] = numpy.mean([float(price) for price in theirs])

    expected = [(place, name) for place, name in enumerate(sorted(means, key=means.__getitem__), start=1)]

    assert [(figures.rank, figures.name) for figures in compare(market)] == expected


def test_competitors_with_the_same_mean_share_a_rank(market):
    for name, price in [("Dear", 30), ("beta", 10), ("Alpha", 10)]:
        make_prices(make_competitor(market, name), price)

    assert [(figures.rank, figures.name) for figures in compare(market)] == [(1, "Alpha"), (1, "beta"), (3, "Dear")]


def test_the_position_is_held_against_the_markets_quartiles(market):
    for name, price in [("A", 10), ("B", 20), ("C", 30), ("D", 40), ("E", 50)]:
        make_prices(make_competitor(market, name), price)

    positions = {figures.name: figures.position for figures in compare(market)}

    assert positions == {"A": "low", "B": "mid", "C": "mid", "D": "mid", "E": "high"}


def test_a_single_observation_has_no_standard_deviation(market):
    make_prices(make_competitor(market), 10)

    assert (describe(whole(market)).standard_deviation, compare(market)[0].standard_deviation) == (None, None)


def test_no_observation_is_a_count_of_zero_and_no_other_figure(market):
    figures = describe(whole(market))

    assert (figures.count, figures.mean, figures.median, figures.range) == (0, None, None, None)


def test_currencies_are_never_averaged_together(market):
    competitor = make_competitor(market)
    make_prices(competitor, 10)
    make_prices(competitor, 1000, currency="JPY", product="Other")

    assert (describe(whole(market)).mean, describe(whole(market, currency="JPY")).mean) == (10, 1000)


def test_both_days_belong_to_the_period(market):
    competitor = make_competitor(market)
    for hour in (0, 23):
        make_prices(competitor, 1, 2, 3, last=datetime(2026, 1, 5, hour, 59, tzinfo=UTC))

    assert describe(whole(market, from_date=date(2026, 1, 4), to_date=date(2026, 1, 4))).count == 2


def test_a_product_can_be_looked_at_alone(market):
    competitor = make_competitor(market)
    make_prices(competitor, 10, product="Adult")
    make_prices(competitor, 5, product="Child")

    assert describe(whole(market, product="Child")).mean == 5


def test_other_markets_do_not_count(market):
    make_prices(make_competitor(market), 10)
    make_prices(make_competitor(make_market(market.organisation)), 99)

    assert (describe(whole(market)).mean, len(compare(market))) == (10, 1)


def test_the_most_frequent_currency_comes_first(market):
    competitor = make_competitor(market)
    make_prices(competitor, 1, currency="EUR", last=datetime(2026, 3, 1, tzinfo=UTC))
    make_prices(competitor, 1, 2, currency="GBP", product="Other")

    assert latest_by_currency(market) == {
        "GBP": datetime(2026, 1, 5, tzinfo=UTC),
        "EUR": datetime(2026, 3, 1, tzinfo=UTC),
    }
    assert next(iter(latest_by_currency(market))) == "GBP"


def test_comparing_asks_once_however_many_competitors(market, django_assert_num_queries):
    for _ in range(3):
        make_prices(make_competitor(market), 10)
    selection = whole(market)
    figures = describe(selection)

    with django_assert_num_queries(1):
        statistics.compare_competitors(selection, figures)
