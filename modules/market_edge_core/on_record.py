"""What does the organisation have on record of the names and observations in a price file, and how is it put there?

Files have up to 100,000 rows, so whole columns are sent as arrays: for 100,000 prices 3 seconds, bulk_create takes 7.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models.functions import Lower

from modules.market_edge_core.models import PriceObservation
from modules.market_edge_core.price_file import Offer
from tenants.models import Organisation

TABLE = PriceObservation._meta.db_table
MATCHING = f"""
SELECT competitor_id, product, collected_at, price, currency, source, is_promotion, promotion_details
FROM {TABLE}
JOIN unnest(%s::bigint[], %s::text[], %s::timestamptz[]) AS wanted (competitor_id, product, collected_at)
USING (competitor_id, product, collected_at)
WHERE organisation_id = %s
"""  # noqa: S608 (a table's name, from the model)
SAVING = f"""
INSERT INTO {TABLE} (organisation_id, competitor_id, product, collected_at,
                     price, currency, source, is_promotion, promotion_details)
SELECT %s, * FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[],
                         %s::numeric[], %s::text[], %s::text[], %s::boolean[], %s::text[])
ON CONFLICT (organisation_id, competitor_id, product, collected_at) DO UPDATE SET
    price = EXCLUDED.price, currency = EXCLUDED.currency, source = EXCLUDED.source,
    is_promotion = EXCLUDED.is_promotion, promotion_details = EXCLUDED.promotion_details
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
    if not moments:
        return
    with connection.cursor() as cursor:
        cursor.execute(MATCHING, [*_columns(moments), organisation.pk])
        for competitor_id, product, collected_at, *stated in cursor.fetchall():
            yield Moment(competitor_id, product, collected_at), Offer(*stated)


def save(organisation: Organisation, observations: Collection[tuple[Moment, Offer]]) -> None:
    """Add each observation, or put its offer in the place of the one on record; no moment may come twice."""
    if not observations:
        return
    with connection.cursor() as cursor:
        cursor.execute(SAVING, [organisation.pk, *_columns([(*moment, *offer) for moment, offer in observations])])


def _columns(rows: Iterable[Sequence[object]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
