"""Prices in one market, period and currency, described in numbers: all of them computed by PostgreSQL."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Aggregate, Avg, Count, F, FloatField, Max, Min, StdDev, Window
from django.db.models.functions import Lower, Rank

from modules.market_edge_core.models import Market, PriceObservationQuerySet

DEFAULT_PERIOD = timedelta(days=90)


class Quantile(Aggregate):
    """percentile_cont: the value at this fraction of the sorted values, between two neighbours by straight line.

    Hyndman and Fan's definition 7 (1996), which is also numpy's default ("linear").
    """

    function = "percentile_cont"
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()

    def __init__(self, expression: str, *, fraction: float, **options: Any) -> None:
        super().__init__(expression, fraction=fraction, **options)


FIGURES: dict[str, Aggregate] = {
    "count": Count("pk"),
    "mean": Avg("price"),
    "median": Quantile("price", fraction=0.5),
    "lower_quartile": Quantile("price", fraction=0.25),
    "upper_quartile": Quantile("price", fraction=0.75),
    "minimum": Min("price"),
    "maximum": Max("price"),
    "standard_deviation": StdDev("price", sample=True),
}


@dataclass(frozen=True, kw_only=True)
class Figures:
    """In units of the currency, unless `count` is 0: then all others are None.

    Every observation weighs the same, promotions included. `standard_deviation` is the sample's (divided by n - 1) and
    so None for a single observation.
    """

    count: int
    mean: Decimal | None
    median: float | None
    lower_quartile: float | None
    upper_quartile: float | None
    minimum: Decimal | None
    maximum: Decimal | None
    standard_deviation: Decimal | None

    @property
    def range(self) -> Decimal | None:
        if self.minimum is None or self.maximum is None:
            return None
        return self.maximum - self.minimum


@dataclass(frozen=True, kw_only=True)
class CompetitorFigures(Figures):
    """`rank` is 1 for the lowest mean price; competitors with the same mean share a rank.

    `position` holds the mean against the market's quartiles: low below the lower, high above the upper, else mid.
    """

    name: str
    rank: int
    position: str


@dataclass(frozen=True)
class Selection:
    """Which observations of a market are meant. Both dates are in UTC and belong to the period."""

    market: Market
    from_date: date
    to_date: date
    currency: str
    product: str = ""

    def observations(self) -> PriceObservationQuerySet:
        chosen = self.market.organisation.priceobservations.of_market(self.market).filter(
            currency=self.currency,
            collected_at__gte=_midnight(self.from_date),
            collected_at__lt=_midnight(self.to_date + timedelta(days=1)),
        )
        return chosen.filter(product=self.product) if self.product else chosen


def describe(selection: Selection) -> Figures:
    return Figures(**selection.observations().aggregate(**FIGURES))


def compare_competitors(selection: Selection, market: Figures) -> list[CompetitorFigures]:
    """Each competitor with prices in the selection, the cheapest first; `market` describes the same selection."""
    rows = (
        selection.observations()
        .values(name=F("competitor__name"), competitor_pk=F("competitor_id"))
        .annotate(**FIGURES, rank=Window(Rank(), order_by=Avg("price").asc()))
        .order_by("rank", Lower("name"), "competitor_pk")
    )
    return [CompetitorFigures(position=_position(row["mean"], market), **_without_key(row)) for row in rows]


def _without_key(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "competitor_pk"}


def _position(mean: Decimal, market: Figures) -> str:
    if market.lower_quartile is not None and mean < market.lower_quartile:
        return "low"
    if market.upper_quartile is not None and mean > market.upper_quartile:
        return "high"
    return "mid"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def latest_by_currency(market: Market) -> dict[str, datetime]:
    """Each currency of the market's observations with the time of its latest; the most frequent currency first."""
    found = market.organisation.priceobservations.of_market(market).values("currency")
    found = found.annotate(latest=Max("collected_at"), count=Count("pk")).order_by("-count", "currency")
    return {row["currency"]: row["latest"] for row in found}
