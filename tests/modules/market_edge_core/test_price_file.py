"""Rows of a price file: what is read, and every reason for which one is not."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from modules.market_edge_core import price_file
from modules.market_edge_core.price_file import Offer, Price, Problem
from tests.modules.market_edge_core.factories import HEADER, ROW, csv_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CELLS = dict(zip(HEADER.split(","), ROW.split(","), strict=True))


def read(*rows: str):
    return price_file.read(csv_of(*rows), now=NOW)


def row_with(**cells: str) -> str:
    return ",".join({**CELLS, **cells}.values())


def reasons(**cells: str) -> list[tuple[str, str]]:
    return [(problem.column, problem.reason) for problem in read(row_with(**cells)).problems]


def only_price(**cells: str) -> Price:
    (price,) = read(row_with(**cells)).prices
    return price


def test_a_row_is_read_whole():
    row = 'City  centre, Rival ,Ticket,12.5,gbp,2026-01-05T10:30:00+01:00,Website,Yes,"Two for one,\r\nMondays"'

    offer = Offer(Decimal("12.5"), "GBP", "Website", True, "Two for one, Mondays")
    at = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
    assert read(row).prices == [Price(2, "City centre", "Rival", "Ticket", at, offer)]


def test_the_template_is_valid():
    file = price_file.read(price_file.TEMPLATE.encode(), now=NOW)

    assert (file.row_count, len(file.prices), file.problems) == (2, 2, [])


def test_the_template_names_every_column():
    assert price_file.TEMPLATE.splitlines()[0].split(",") == [*price_file.REQUIRED, *price_file.OPTIONAL]


def test_optional_columns_may_be_left_out():
    content = csv_of("City,Rival,Ticket,1,GBP,2026-01-05", header=",".join(price_file.REQUIRED))

    assert price_file.read(content, now=NOW).prices[0].offer == Offer(Decimal(1), "GBP", "", False, "")


def test_all_problems_of_all_rows_are_named_at_once():
    file = read(row_with(price="cheap", currency="£"), ROW, row_with(market="", collected_at="yesterday"))

    found = [(problem.line, problem.column, problem.value) for problem in file.problems]
    assert found == [(2, "price", "cheap"), (2, "currency", "£"), (4, "market", ""), (4, "collected_at", "yesterday")]


def test_text_that_looks_like_a_formula_is_text():
    assert only_price(competitor="=1+1", product="@home").competitor == "=1+1"


@pytest.mark.parametrize("price", ["0", "12", "12.5", "0012.50", "9999999999.99"])
def test_prices_are_read_exactly(price):
    assert only_price(price=price).offer.price == Decimal(price)


@pytest.mark.parametrize(
    ("price", "words"),
    [
        ("", "must not be empty"),
        ("-1", "cannot be negative"),
        ('"1,234.50"', "without thousands separators"),
        ('"12,50"', "with a decimal point"),
        ("1.234", "At most two decimals"),
        ("10000000000", "at most ten digits"),
        ("1e5", "Not a number"),
        ("NaN", "Not a number"),
        ("£12", "Not a number"),
        ("١٢", "Not a number"),
        ("12.", "Not a number"),
        ("1_000", "Not a number"),
    ],
)
def test_a_price_that_is_no_plain_number_is_refused(price, words):
    ((column, reason),) = reasons(price=price)

    assert column == "price"
    assert words in reason


@pytest.mark.parametrize("currency", ["", "£", "GB", "GBPP", "GB1", "ĞBP"])
def test_a_currency_is_three_letters(currency):
    assert reasons(currency=currency) == [("currency", "Write the currency as its three letters, such as GBP.")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05", datetime(2026, 1, 5, tzinfo=UTC)),
        ("2026-01-05 09:30", datetime(2026, 1, 5, 9, 30, tzinfo=UTC)),
        ("2026-01-05T09:30:15.25Z", datetime(2026, 1, 5, 9, 30, 15, 250_000, tzinfo=UTC)),
        ("2026-01-05T09:30-0500", datetime(2026, 1, 5, 14, 30, tzinfo=UTC)),
        ("2026-11-24T11:59Z", datetime(2026, 11, 24, 11, 59, tzinfo=UTC)),
    ],
)
def test_moments_are_iso_dates_in_utc(text, expected):
    assert only_price(collected_at=text).collected_at == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Write the date as"),
        ("05/01/2026", "Write the date as"),
        ("20260105", "Write the date as"),
        ("2026-W02-1", "Write the date as"),
        ("2026-02-30", "no such date"),
        ("2026-01-05T25:00", "no such date"),
        ("0001-01-01T00:00+14:00", "no such date"),
        ("9999-12-31T23:59-14:00", "no such date"),
        ("1969-12-31", "before 1970"),
        ("2026-11-24T12:01Z", "in the future"),
    ],
)
def test_a_moment_that_cannot_be_is_refused(text, words):
    ((column, reason),) = reasons(collected_at=text)

    assert column == "collected_at"
    assert words in reason


@pytest.mark.parametrize(("text", "expected"), [("YES", True), ("1", True), ("false", False), ("", False)])
def test_promotions_are_yes_or_no(text, expected):
    assert only_price(is_promotion=text).offer.is_promotion is expected


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("is_promotion", "maybe", "Write yes or no."),
        ("market", "x" * 201, "Too long: 201 characters, at most 200."),
        ("promotion_details", "x" * 501, "Too long: 501 characters, at most 500."),
        ("product", "a\x07b", "Holds a control character that cannot be shown."),
    ],
)
def test_other_cells_are_checked_too(column, text, reason):
    assert reasons(**{column: text}) == [(column, reason)]


def test_a_row_with_surplus_cells_is_wrong_as_a_whole():
    (problem,) = read(f"{ROW},50").problems

    assert (problem.line, problem.column, problem.value) == (2, "", "50")


def test_a_file_that_breaks_off_keeps_the_problems_before_it():
    file = read(row_with(price="x"), '"never closed')

    assert [problem.line for problem in file.problems] == [2, 3]


def test_a_header_alone_is_a_problem():
    assert read().problems == [Problem(2, "", "", "The file has a header and no rows below it.")]
