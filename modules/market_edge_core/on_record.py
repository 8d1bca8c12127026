"""What does the organisation have on record of the names and observations in a price file?"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models.functions import Lower

from modules.market_edge_core.models import PriceObservation
from modules.market_edge_core.price_file import Offer
from tenants.models import Organisation

MATCHING = f"""
SELECT competitor_id, product, collected_at, price, currency, source, is_promotion, promotion_details
FROM {PriceObservation._meta.db_table}
JOIN unnest(%s::bigint[], %s::text[], %s::timestamptz[]) AS wanted (competitor_id, product, collected_at)
USING (competitor_id, product, collected_at)
WHERE organisation_id = %s
"""  # noqa: S608 (a table's name, from the model)


class Moment(NamedTuple):
    """The natural key of an observation."""

    competitor_id: int
    product: str
    collected_at: datetime


def fold(names: Collection[str]) -> dict[str, str]:
    """Each name in the small letters of the database, whose unique constraints decide which names are the same."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, lower(name) FROM unnest(%s::text[]) AS name", [sorted(names)])
        return dict(cursor.fetchall())


def market_ids(organisation: Organisation, names: Collection[str]) -> dict[str, int]:
    """By folded name."""
    known = organisation.markets.annotate(folded=Lower("name")).filter(folded__in=names)
    return dict(known.values_list("folded", "pk"))


def competitor_ids(organisation: Organisation, markets: Mapping[str, int]) -> dict[tuple[str, str], int]:
    """By folded names of market and competitor."""
    name_of = {pk: name for name, pk in markets.items()}
    known = organisation.competitors.filter(market__in=name_of).annotate(folded=Lower("name"))
    return {(name_of[market], name): pk for market, name, pk in known.values_list("market", "folded", "pk")}


def offers(organisation: Organisation, moments: Collection[Moment]) -> Iterator[tuple[Moment, Offer]]:
    """What is on record for those of the moments that have an observation."""
    columns = [list(column) for column in zip(*moments, strict=True)] or [[], [], []]
    with connection.cursor() as cursor:
        cursor.execute(MATCHING, [*columns, organisation.pk])
        for competitor_id, product, collected_at, *stated in cursor.fetchall():
            yield Moment(competitor_id, product, collected_at), Offer(*stated)
