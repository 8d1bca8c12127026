"""From the rows of a CSV file to prices, and everything that is wrong with it, row by row. It asks no database."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from modules.market_edge_core.csv_file import BrokenRow, Row, Table

REQUIRED = ("market", "competitor", "product", "price", "currency", "collected_at")
OPTIONAL = ("source", "is_promotion", "promotion_details")
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK_DIFFERENCE = timedelta(days=1)
TEMPLATE = (
    "market,competitor,product,price,currency,collected_at,source,is_promotion,promotion_details\r\n"
    "City centre,Example Rival,Standard ticket,12.50,GBP,2026-01-05,Website,no,\r\n"
    'City centre,Another Rival,Standard ticket,9.99,GBP,2026-01-05T09:30:00Z,Website,yes,"Two for one, Mondays"\r\n'
)

_NUMBER = re.compile(r"([0-9]+)(?:\.([0-9]+))?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_YES_OR_NO = {"": False, **dict.fromkeys(("no", "n", "false", "0"), False)}
_YES_OR_NO |= dict.fromkeys(("yes", "y", "true", "1"), True)

Parsers = Mapping[str, Callable[[str], object]]


class Offer(NamedTuple):
    """What a row says about its competitor, product and moment."""

    price: Decimal
    currency: str
    source: str
    is_promotion: bool
    promotion_details: str


@dataclass(frozen=True, slots=True)
class Price:
    """One row of the file. `collected_at` is in UTC; `line` is where the row starts."""

    line: int
    market: str
    competitor: str
    product: str
    collected_at: datetime
    offer: Offer


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be loaded. `column` and `value` are empty when the row as a whole is wrong."""

    line: int
    column: str
    value: str
    reason: str


@dataclass
class PriceFile:
    row_count: int = 0
    prices: list[Price] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def open_table(content: bytes) -> Table:
    """Raises csv_file.Unreadable when the file as a whole is wrong."""
    return Table(content, required=REQUIRED, optional=OPTIONAL)


def read(content: bytes, *, now: datetime) -> PriceFile:
    """All prices and all problems at once; raises csv_file.Unreadable when the file as a whole is wrong."""
    file = PriceFile()
    # Names, currencies and days come again in row after row.
    parsers = {column: lru_cache(4096)(parse) for column, parse in _parsers(now).items()}
    try:
        for row in open_table(content).rows():
            file.row_count += 1
            _read_row(row, file, parsers)
    except BrokenRow as broken:
        file.problems.append(Problem(broken.line, "", "", str(broken)))
    if not file.row_count and not file.problems:
        file.problems.append(Problem(2, "", "", "The file has a header and no rows below it."))
    return file


def _read_row(row: Row, file: PriceFile, parsers: Parsers) -> None:
    known = len(file.problems)
    if any(cell.strip() for cell in row.surplus):
        reason = "The row has more cells than the header has columns: a cell that holds the separator needs quotes."
        file.problems.append(Problem(row.line, "", ", ".join(row.surplus), reason))
    values: dict[str, Any] = {}
    for column, parse in parsers.items():
        text = row.cells.get(column, "").strip()
        try:
            values[column] = parse(text)
        except ValueError as problem:
            file.problems.append(Problem(row.line, column, text, str(problem)))
    if len(file.problems) == known:
        file.prices.append(_price(row.line, values))


def _price(line: int, values: dict[str, Any]) -> Price:
    offer = Offer(*(values[column] for column in Offer._fields))
    return Price(line, values["market"], values["competitor"], values["product"], values["collected_at"], offer)


def _parsers(now: datetime) -> Parsers:
    return {
        "market": lambda text: required(text, limit=200),
        "competitor": lambda text: required(text, limit=200),
        "product": lambda text: required(text, limit=200),
        "price": price,
        "currency": currency,
        "collected_at": lambda text: moment(text, now=now),
        "source": lambda text: on_one_line(text, limit=200),
        "is_promotion": yes_or_no,
        "promotion_details": lambda text: on_one_line(text, limit=500),
    }


def required(text: str, *, limit: int) -> str:
    if not text:
        raise ValueError("This cell must not be empty.")
    return on_one_line(text, limit=limit)


def on_one_line(text: str, *, limit: int) -> str:
    line = " ".join(text.split())
    if len(line) > limit:
        raise ValueError(f"Too long: {len(line):,} characters, at most {limit}.")
    if _CONTROL.search(line):
        raise ValueError("Holds a control character that cannot be shown.")
    return line


def price(text: str) -> Decimal:
    if not text:
        raise ValueError("This cell must not be empty.")
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(_why_no_number(text))
    whole, fraction = match.groups(default="")
    if len(fraction) > 2:
        raise ValueError("At most two decimals.")
    if len(whole.lstrip("0")) > 10:
        raise ValueError("Too large: at most ten digits before the point.")
    return Decimal(text)


def _why_no_number(text: str) -> str:
    if text.startswith("-") and _NUMBER.fullmatch(text[1:]):
        return "A price cannot be negative."
    if "," in text:
        return "Write the price with a decimal point and without thousands separators, such as 1234.50."
    return "Not a number: write the price alone, such as 1234.50; the currency has its own column."


def currency(text: str) -> str:
    if not _CURRENCY.fullmatch(text):
        raise ValueError("Write the currency as its three letters, such as GBP.")
    return text.upper()


def moment(text: str, *, now: datetime) -> datetime:
    """An ISO 8601 date or date-time, without a zone in UTC; not before 1970 and at most a day ahead of `now`."""
    if not _MOMENT.fullmatch(text):
        raise ValueError("Write the date as 2026-01-31, or with a time as 2026-01-31T09:30:00Z.")
    try:
        written = datetime.fromisoformat(text)
        at = written.astimezone(UTC) if written.tzinfo else written.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError("There is no such date or time.") from None
    if at < EARLIEST:
        raise ValueError("This is before 1970.")
    if at > now + CLOCK_DIFFERENCE:
        raise ValueError("This is in the future.")
    return at


def yes_or_no(text: str) -> bool:
    try:
        return _YES_OR_NO[text.lower()]
    except KeyError:
        raise ValueError("Write yes or no.") from None
