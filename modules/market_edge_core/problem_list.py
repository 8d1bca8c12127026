"""The list of what is wrong with a price file, as a CSV file to take away."""

import csv
import io
from collections.abc import Iterable

from modules.market_edge_core.price_file import Problem

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def write(problems: Iterable[Problem]) -> str:
    """With a byte order mark, by which Excel knows UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["line", "column", "value", "reason"])
    for problem in problems:
        writer.writerow([problem.line, problem.column, as_text(problem.value), problem.reason])
    return "\ufeff" + out.getvalue()


def as_text(value: str) -> str:
    """Spreadsheets run cells that begin like a formula; an apostrophe makes them text (OWASP, CSV injection)."""
    return f"'{value}" if value.startswith(_STARTS_A_FORMULA) else value
