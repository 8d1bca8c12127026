"""Files as spreadsheets write them, and files that are no CSV files."""

import pytest

from modules.market_edge_core.csv_file import MAX_ROWS, BrokenRow, Row, Table, Unreadable

TEXT = "name,note\r\nCafé Ñandú,first\r\n"
EXPECTED = [Row(2, {"name": "Café Ñandú", "note": "first"})]


def rows_of(content: bytes) -> list[Row]:
    return list(Table(content, required=["name"], optional=["note"]).rows())


def refusal_of(content: bytes) -> str:
    with pytest.raises(Unreadable) as refused:
        rows_of(content)
    return str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TEXT.encode(), id="UTF-8"),
        pytest.param(TEXT.encode("utf-8-sig"), id="UTF-8 with a byte order mark"),
        pytest.param(TEXT.encode("cp1252"), id="Windows-1252"),
        pytest.param(TEXT.encode("utf-16"), id="UTF-16 with a byte order mark"),
        pytest.param(TEXT.replace(",", ";").encode(), id="semicolons"),
        pytest.param(TEXT.replace(",", "\t").encode(), id="tabs"),
        pytest.param(TEXT.replace("\r\n", "\n").encode(), id="LF"),
        pytest.param(TEXT.replace("\r\n", "\r").encode(), id="CR"),
        pytest.param(TEXT.rstrip().encode(), id="no newline at the end"),
        pytest.param(TEXT.replace("name,note", " NAME ,Note").encode(), id="other case and spaces in the header"),
        pytest.param(TEXT.replace("Café", "Cafe\u0301").encode(), id="accents written apart"),
        pytest.param(b"name,note,,\r\nCaf\xc3\xa9 \xc3\x91and\xc3\xba,first,,\r\n", id="trailing separators"),
    ],
)
def test_the_same_table_is_read_however_it_was_saved(content):
    assert [(row.line, row.cells) for row in rows_of(content)] == [(row.line, row.cells) for row in EXPECTED]


def test_the_line_is_the_one_in_which_the_row_starts():
    content = b'name,note\r\n"one","over\r\ntwo lines"\r\n\r\n  ,\r\ntwo,\r\n'

    assert [(row.line, row.cells["name"]) for row in rows_of(content)] == [(2, "one"), (6, "two")]


def test_a_row_that_is_too_short_is_filled_with_empty_cells():
    assert rows_of(b"name,note\none\n") == [Row(2, {"name": "one", "note": ""})]


def test_a_row_that_is_too_long_says_so():
    assert rows_of(b"name,note\none,1,50\n") == [Row(2, {"name": "one", "note": "1"}, surplus=("50",))]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\r\n \r\n", "empty"),
        (b"\xef\xbb\xbf\r\n", "must name the columns"),
        (b"PK\x03\x04\x14\x00", "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "workbook"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "NUL characters"),
        (b"name,note\none,\x00\n", "NUL characters"),
        (TEXT.encode("utf-16-le"), "NUL characters"),
        (b"\xff\xfen\x00a", "not text"),
        (TEXT.encode("utf-32"), "NUL characters"),
        (b"name,note\n\x81\x8d,\n", "not text"),
        (b"one,two\n1,2\n", "names none of them"),
        (b"note\n1\n", "missing: name"),
        (b"name,nmae\n1,2\n", "Unknown column “nmae”"),
        (b"name,,note\n1,2,3\n", "Unknown column “”"),
        (b"name,note,NAME\n1,2,3\n", "“name” appears more than once"),
        (b'"name,note\n1,2\n', "quotation mark is opened in this row and never closed"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_the_reason(content, words):
    assert words in refusal_of(content)


@pytest.mark.parametrize(
    ("rows", "line", "words"),
    [
        ('one,"never closed\ntwo,2\n', 2, "never closed"),
        ('one,"closed"early\ntwo,2\n', 2, "closing quotation mark"),
        ("one,1\n" + "x" * 140_000 + ",2\n", 3, "longer than 131,072 characters"),
        ("one,1\n" * (MAX_ROWS + 1), MAX_ROWS + 2, "more than 100,000 rows"),
    ],
    ids=["quote left open", "text after a quote", "oversized field", "too many rows"],
)
def test_where_a_file_breaks_off_is_named(rows, line, words):
    with pytest.raises(BrokenRow, match=words) as broken:
        rows_of(f"name,note\n{rows}".encode())

    assert broken.value.line == line


@pytest.mark.parametrize("marks", ["\u0345\u0334" * 300_000, "\u0301" * 31])
def test_a_letter_with_endless_accents_is_refused_before_it_takes_time(marks):
    content = f"name,note\na{marks},first\n".encode()

    assert "more than 30 accents" in refusal_of(content)


@pytest.mark.parametrize("name", ["Кинотеатр " * 20, "影院" * 40, "e\u0301" * 40, "สวัสดีครับ" * 12])
def test_long_text_in_other_scripts_is_read(name):
    assert len(rows_of(f"name,note\n{name},first\n".encode())) == 1
