"""The list of problems as a file to take away."""

import csv
import io

import pytest

from modules.market_edge_core.price_file import Problem
from modules.market_edge_core.problem_list import write


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_each_problem_is_a_row():
    text = write([Problem(7, "price", "cheap", "Not a number.")])

    assert rows_of(text) == [["line", "column", "value", "reason"], ["7", "price", "cheap", "Not a number."]]


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_spreadsheet_runs_no_formula_of_the_file(value):
    text = write([Problem(2, "price", value, "Not a number.")])

    assert rows_of(text)[1][2] == f"'{value}"
