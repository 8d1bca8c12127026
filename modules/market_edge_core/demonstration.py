"""Invented prices for a demonstration organisation. All competitors are fictitious."""

import csv
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from modules.market_edge_core import actions
from modules.market_edge_core.models import Market
from modules.market_edge_core.price_file import OPTIONAL, REQUIRED
from tenants.models import Organisation

DAYS = 90
DAYS_BETWEEN = 2
DAYS_AGO = 2
PROMOTIONS = ("Two for one", "Members' week", "Early booking", "Seasonal offer")


@dataclass(frozen=True)
class Line:
    """What an industry sells, for what in GBP, and who else sells it."""

    products: dict[str, float]
    competitors: tuple[str, ...]


# Name, geography, currency, and how dear it is.
MARKETS = (
    ("Manchester centre", "Greater Manchester, UK", "GBP", 1.05),
    ("Leeds and Bradford", "West Yorkshire, UK", "GBP", 0.92),
    ("Dublin", "Leinster, Ireland", "EUR", 1.25),
)
LINES = {
    Organisation.Industry.CINEMA: Line(
        {"Adult ticket": 10.5, "Child ticket": 7.2, "Large popcorn": 6.4},
        (
            "Aurelia Screens",
            "Foxglove Pictures",
            "Brass Lantern Film House",
            "Velvet Row",
            "Marquee & Moss",
            "Owlet Kino",
        ),
    ),
    Organisation.Industry.HOTEL: Line(
        {"Double room, weekday": 96.0, "Double room, weekend": 128.0, "Breakfast": 14.5},
        (
            "Heronsgate House",
            "Saltmarsh Rooms",
            "Bellwether & Crane",
            "Amberline Suites",
            "Tidewick Lodge",
            "The Quiet Otter",
        ),
    ),
    Organisation.Industry.GYM: Line(
        {"Monthly membership": 34.0, "Day pass": 9.0, "Personal training, hour": 42.0},
        ("Ironwren Fitness", "Pulse & Pine", "Stridehouse", "Kettlewick Strength", "Anvil & Oar", "The Patient Badger"),
    ),
    Organisation.Industry.RETAIL: Line(
        {"Matt emulsion, 5 l": 31.0, "Cordless drill": 79.0, "Oak-effect shelf": 18.5},
        (
            "Tanglethorn Tools",
            "Brightnail",
            "Hobb, Fettle & Daughters",
            "The Paint Larder",
            "Copperjoint",
            "Mossbridge DIY",
        ),
    ),
    Organisation.Industry.B2B: Line(
        {"Analyst day": 720.0, "Price study": 4_800.0, "Dashboard seat, month": 89.0},
        (
            "Plumbline & Finch",
            "Lodewater Insight",
            "Graphite Heron",
            "Wickerstone Advisory",
            "Fathomgate",
            "Nine Lanterns",
        ),
    ),
}
LINES[Organisation.Industry.DEFAULT] = LINES[Organisation.Industry.RETAIL]


def load(organisation: Organisation, *, by: Any = None) -> bool:
    """Fill an organisation that has no markets yet, whose scope the caller has entered; any other is left alone.

    Returns whether it was filled.
    """
    if organisation.markets.exists():
        return False
    content = _csv(organisation, last=timezone.now().date() - timedelta(days=DAYS_AGO))
    with transaction.atomic():
        for name, geography, _, _ in MARKETS:
            actions.create_market(Market(organisation=organisation, name=name, geography=geography), by=by)
        upload = actions.keep_upload(organisation, name="demonstration.csv", content=content, by=by)
        actions.apply_upload(upload, sha256=upload.sha256, by=by)
    return True


def _csv(organisation: Organisation, *, last: date) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*REQUIRED, *OPTIONAL])
    writer.writerows(_rows(LINES[Organisation.Industry(organisation.industry)], organisation.slug, last))
    return out.getvalue().encode()


def _rows(line: Line, seed: str, last: date) -> Iterator[list[str]]:
    chance = random.Random(seed)  # noqa: S311 (the same prices every time, not secrets)
    for market, _, currency, dearness in MARKETS:
        for competitor in line.competitors[: chance.choice((5, 6))]:
            level = dearness * chance.uniform(0.8, 1.2)
            for product, usual in line.products.items():
                for age in range(0, DAYS, DAYS_BETWEEN):
                    day = last - timedelta(days=age)
                    offer = _offer(usual * level, chance)
                    yield [market, competitor, product, offer[0], currency, day.isoformat(), *offer[1:]]


def _offer(level: float, chance: random.Random) -> list[str]:
    """Price, source, is_promotion, promotion_details."""
    is_promotion = chance.random() < 0.06
    price = level * chance.gauss(1, 0.03) * (0.75 if is_promotion else 1)
    details = chance.choice(PROMOTIONS) if is_promotion else ""
    return [str(Decimal(price).quantize(Decimal("0.01"))), "Website", "yes" if is_promotion else "no", details]
