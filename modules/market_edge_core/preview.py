"""What would loading a price file change? Asked before it is confirmed, and again by the load itself."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import NamedTuple, TypeVar

from modules.market_edge_core import on_record, price_file
from modules.market_edge_core.price_file import Offer, Price, Problem
from tenants.models import Organisation

BATCH = 10_000
SHOWN_PRICES = 10
SHOWN_NAMES = 50
Item = TypeVar("Item")


class Key(NamedTuple):
    """What makes two rows of a file speak of the same observation; names as PostgreSQL folds them."""

    market: str
    competitor: str
    product: str
    collected_at: datetime


@dataclass
class Preview:
    """`new` and `corrected` hold one row for each observation; `repeated` counts rows that only say one again.

    Markets and competitors go by their folded names; what is new maps those to the name or row in the file.
    """

    row_count: int = 0
    repeated: int = 0
    unchanged: int = 0
    new: dict[Key, Price] = field(default_factory=dict)
    corrected: dict[Key, Price] = field(default_factory=dict)
    market_ids: dict[str, int] = field(default_factory=dict)
    competitor_ids: dict[tuple[str, str], int] = field(default_factory=dict)
    new_markets: dict[str, str] = field(default_factory=dict)
    new_competitors: dict[tuple[str, str], Price] = field(default_factory=dict)
    first_prices: list[Price] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def change_count(self) -> int:
        return len(self.new) + len(self.corrected)

    @property
    def changes_nothing(self) -> bool:
        return self.change_count == 0

    @property
    def new_market_names(self) -> list[str]:
        return shortened(list(self.new_markets.values()))

    @property
    def new_competitor_names(self) -> list[str]:
        return shortened([f"{price.competitor} ({price.market})" for price in self.new_competitors.values()])

    @property
    def counts(self) -> dict[str, int]:
        return {
            "rows": self.row_count,
            "new": len(self.new),
            "corrected": len(self.corrected),
            "unchanged": self.unchanged,
            "repeated": self.repeated,
            "new_markets": len(self.new_markets),
            "new_competitors": len(self.new_competitors),
        }


def shortened(names: list[str]) -> list[str]:
    """A list that a page can show; its last entry says how many are left out."""
    left_out = len(names) - SHOWN_NAMES
    return [*names[:SHOWN_NAMES], f"and {left_out:,} more"] if left_out > 0 else names


def inspect(content: bytes, *, organisation: Organisation, now: datetime) -> Preview:
    """Compare the file with what the organisation has; raises csv_file.Unreadable when it is no price file."""
    file = price_file.read(content, now=now)
    preview = Preview(row_count=file.row_count, problems=file.problems, first_prices=file.prices[:SHOWN_PRICES])
    observations = _one_for_each_key(file.prices, preview)
    _resolve_names(observations, preview, organisation)
    _compare(observations, preview, organisation)
    preview.problems.sort(key=lambda problem: problem.line)
    return preview


def _one_for_each_key(prices: list[Price], preview: Preview) -> dict[Key, Price]:
    """Counts the rows that repeat an earlier one, and makes problems of those that contradict it."""
    folded = on_record.fold({name for price in prices for name in (price.market, price.competitor)})
    observations: dict[Key, Price] = {}
    contradictions: dict[int, Problem] = {}
    for price in prices:
        key = Key(folded[price.market], folded[price.competitor], price.product, price.collected_at)
        first = observations.setdefault(key, price)
        if first is price:
            continue
        if first.offer == price.offer:
            preview.repeated += 1
        else:
            contradictions.setdefault(first.line, _contradiction(first, price))
            contradictions[price.line] = _contradiction(price, first)
    preview.problems += contradictions.values()
    return observations


def _contradiction(price: Price, other: Price) -> Problem:
    pairs = zip(Offer._fields, price.offer, other.offer, strict=True)
    different = [(column, str(value)) for column, value, theirs in pairs if value != theirs]
    columns = ", ".join(column for column, _ in different)
    reason = f"Line {other.line} has the same competitor, product and time with another {columns}: keep one of them."
    return Problem(price.line, *different[0], reason)


def _resolve_names(observations: dict[Key, Price], preview: Preview, organisation: Organisation) -> None:
    preview.market_ids = on_record.market_ids(organisation, {key.market for key in observations})
    preview.competitor_ids = on_record.competitor_ids(organisation, preview.market_ids)
    for key, price in observations.items():
        if key.market not in preview.market_ids:
            preview.new_markets.setdefault(key.market, price.market)
        if key[:2] not in preview.competitor_ids:
            preview.new_competitors.setdefault(key[:2], price)


def _compare(observations: dict[Key, Price], preview: Preview, organisation: Organisation) -> None:
    for batch in batches(observations.items()):
        _compare_batch(batch, preview, organisation)


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Pieces small enough for one statement."""
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def _compare_batch(batch: Iterable[tuple[Key, Price]], preview: Preview, organisation: Organisation) -> None:
    """Sort the rows into new, corrected and unchanged."""
    ids = preview.competitor_ids
    moments = {key: on_record.Moment(ids[key[:2]], *key[2:]) for key, _ in batch if key[:2] in ids}
    stored = dict(on_record.offers(organisation, moments.values()))
    for key, price in batch:
        offer = stored.get(moments[key]) if key in moments else None
        if offer is None:
            preview.new[key] = price
        elif offer == price.offer:
            preview.unchanged += 1
        else:
            preview.corrected[key] = price
