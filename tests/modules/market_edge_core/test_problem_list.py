"""The list of problems as a file to take away."""

import csv
import io

import pytest

from modules.market_edge_core.price_file import Problem
from modules.market_edge_core.problem_list import write


def test_each_problem_is_a_row():
    text = write([Problem(7, "price", "cheap", "Not a number.")])

    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows == [["line", "column", "value", "reason"], ["7", "price", "cheap", "Not a number."]]


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_spreadsheet_runs_no_formula_of_the_file(value):
    text = write([Problem(2, "price", value, "Not a number.")])

    assert next(csv.reader(io.StringIO(text.splitlines(keepends=True)[1].split(",", 2)[2])))[0].startswith("'")
