"""From a file's bytes to the rows of its table: encoding, separator, header. It knows nothing of prices."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAX_ROWS = 100_000
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_HOW_TO_SAVE = "Save it as “CSV UTF-8” and upload that file."
# As in the Stream-Safe Text Format of Unicode (UAX 15). Combining marks begin at U+0300.
_MOST_MARKS = 30
_BEYOND_LATIN = re.compile(f"[\u0300-\U0010ffff]{{{_MOST_MARKS + 1},}}")


class Unreadable(ValueError):
    """The file as a whole, or all of it from some line on, cannot be read; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """`line` is the line of the file in which the row starts, counted from 1; `surplus` are cells past the header."""

    line: int
    cells: dict[str, str]
    surplus: tuple[str, ...] = ()


class BrokenRow(Unreadable):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class Table:
    """A CSV file whose header has been read and found right; raises Unreadable when it cannot be."""

    def __init__(self, content: bytes, *, required: Sequence[str], optional: Sequence[str]) -> None:
        text = decode(content)
        self.separator = _separator(text, {*required, *optional})
        self._rows = _rows(text, self.separator)
        self.columns = _columns(next(self._rows, (1, []))[1], required, optional)

    def rows(self) -> Iterator[Row]:
        """The rows below the header, blank ones left out; raises BrokenRow where the file cannot be read further."""
        for count, (line, values) in enumerate(self._rows, start=1):
            if count > MAX_ROWS:
                raise BrokenRow(line, f"The file has more than {MAX_ROWS:,} rows. Split it and load the parts.")
            width = len(self.columns)
            cells = dict(zip(self.columns, [*values, *[""] * (width - len(values))], strict=False))
            yield Row(line, cells, tuple(values[width:]))


def decode(content: bytes) -> str:
    """UTF-8 and UTF-16 with a byte order mark, UTF-8 without, else Windows-1252; Unicode in composed form."""
    if not content.strip():
        raise Unreadable("The file is empty.")
    if content.startswith(_WORKBOOKS):
        raise Unreadable(f"This is a workbook or an archive, not a CSV file. {_HOW_TO_SAVE}")
    text = _decoded(content)
    if "\0" in text:
        raise Unreadable(f"The file holds NUL characters, so it is not plain text. {_HOW_TO_SAVE}")
    _require_bounded_marks(text)
    return unicodedata.normalize("NFC", text)


def _require_bounded_marks(text: str) -> None:
    """Composing sorts each run of combining marks in quadratic time, and holds up the whole process meanwhile."""
    for run in _BEYOND_LATIN.finditer(text):
        marks = 0
        for character in run[0]:
            marks = marks + 1 if unicodedata.combining(character) else 0
            if marks > _MOST_MARKS:
                raise Unreadable(f"A letter carries more than {_MOST_MARKS} accents, so this is not a file of prices.")


def _decoded(content: bytes) -> str:
    has_utf16_mark = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ["utf-16"] if has_utf16_mark else ["utf-8-sig", "cp1252"]:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable(f"The file is not text that we can read (UTF-8, UTF-16 or Windows-1252). {_HOW_TO_SAVE}")


def _separator(text: str, known: set[str]) -> str:
    """The separator that makes the most known columns out of the first row."""

    def known_columns(separator: str) -> int:
        try:
            _, header = next(_rows(text, separator), (1, []))
        except BrokenRow:
            return -1
        return len({_normal(name) for name in header} & known)

    return max(SEPARATORS, key=known_columns)


def _rows(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the line in which it starts."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    start = 1
    try:
        for values in reader:
            if any(value.strip() for value in values):
                yield start, values
            start = reader.line_num + 1
    except csv.Error as problem:
        raise BrokenRow(start, _in_words(problem)) from problem


def _in_words(problem: csv.Error) -> str:
    message = str(problem)
    if "field larger" in message:
        return f"A cell is longer than {csv.field_size_limit():,} characters, or a quotation mark is never closed."
    if "unexpected end" in message:
        return "A quotation mark is opened in this row and never closed."
    return "A closing quotation mark is followed by other text: write a quotation mark inside a cell twice."


def _columns(header: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> list[str]:
    names = [_normal(name) for name in header]
    while names and not names[-1]:
        names.pop()
    _require_known(names, [*required, *optional])
    missing = [name for name in required if name not in names]
    if missing:
        raise Unreadable(f"The first row must name the columns; missing: {', '.join(missing)}.")
    return names


def _require_known(names: Sequence[str], known: Sequence[str]) -> None:
    if not set(names) & set(known):
        raise Unreadable(f"The first row must name the columns ({', '.join(known)}); it names none of them.")
    for name in names:
        if name not in known:
            raise Unreadable(f"Unknown column {quoted(name)} in the first row. Columns are: {', '.join(known)}.")
        if names.count(name) > 1:
            raise Unreadable(f"The column “{name}” appears more than once in the first row.")


def _normal(name: str) -> str:
    return name.strip().lower()


def quoted(value: str, *, limit: int = 60) -> str:
    """A value as it may be shown: on one line, shortened."""
    line = " ".join(value.split())
    return f"“{line[: limit - 1]}…”" if len(line) > limit else f"“{line}”"
