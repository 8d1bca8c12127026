"""Builders for markets and prices; CSV text from plain tuples."""

import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from modules.market_edge_core.models import Competitor, Market, PriceObservation, PriceUpload
from tenants.models import Organisation
from tests.factories import as_owner

_numbers = itertools.count(1)
HEADER = "market,competitor,product,price,currency,collected_at,source,is_promotion,promotion_details"
ROW = "City centre,Rival,Ticket,12.50,GBP,2026-01-05,Website,no,"


def csv_of(*rows: str, header: str = HEADER) -> bytes:
    return "\r\n".join([header, *rows, ""]).encode()


@as_owner
def make_market(organisation: Organisation, name: str = "", **fields: Any) -> Market:
    return Market.unscoped.create(organisation=organisation, name=name or f"Market {next(_numbers)}", **fields)


@as_owner
def make_competitor(market: Market, name: str = "", **fields: Any) -> Competitor:
    name = name or f"Competitor {next(_numbers)}"
    return Competitor.unscoped.create(organisation=market.organisation, market=market, name=name, **fields)


@as_owner
def make_prices(competitor: Competitor, *prices: Any, **fields: Any) -> list[PriceObservation]:
    """One observation a day, the last on 5 January 2026."""
    last = fields.pop("last", datetime(2026, 1, 5, tzinfo=UTC))
    fields = {"product": "Ticket", "currency": "GBP", **fields}
    return PriceObservation.unscoped.bulk_create(
        PriceObservation(
            organisation=competitor.organisation,
            competitor=competitor,
            price=price,
            collected_at=last - timedelta(days=days),
            **fields,
        )
        for days, price in enumerate(prices)
    )


@as_owner
def make_upload(organisation: Organisation, content: bytes = b"", **fields: Any) -> PriceUpload:
    now = timezone.now()
    content = content or csv_of(ROW)
    fields = {"name": "prices.csv", "created_at": now, "expires_at": now + timedelta(hours=2), **fields}
    sha256 = hashlib.sha256(content).hexdigest()
    return PriceUpload.unscoped.create(organisation=organisation, content=content, sha256=sha256, **fields)
