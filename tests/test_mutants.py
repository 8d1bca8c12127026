"""Each guard that is taken out by `make mutants` stands where it is said to stand, once, and its tests are there."""

import pytest

from tests.environment import ROOT
from tests.mutants import MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.guard)
def test_the_guard_stands_where_it_can_be_taken_out(mutant):
    text = (ROOT / mutant.path).read_text()

    assert text.count(mutant.text) == 1
    assert mutant.text != mutant.without


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.guard)
def test_the_tests_that_must_notice_are_there(mutant):
    assert (ROOT / mutant.tests.split()[0].partition("::")[0]).exists()


def test_no_two_guards_have_one_name():
    names = [mutant.guard for mutant in MUTANTS]

    assert sorted(names) == sorted(set(names))
