"""Conditions are compared by what they mean, and a condition that cannot be read is another one."""

import pytest

from tenants.row_security import ORGANISATION
from tenants.tenancy.expressions import is_same

OURS = f"organisation_id = {ORGANISATION}"
THEIRS = "(organisation_id = (current_setting('marketedge.organisation'::text))::bigint)"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (OURS, THEIRS),
        ("true", "true"),
        ("", ""),
        ("a IS NULL OR b = 1", "((a IS NULL) OR (b = 1))"),
        ("a = nullif(f('x', true), '')::bigint", "(a = (NULLIF(f('x'::text, true), ''::text))::bigint)"),
        ("a OR b AND c", "(a OR (b AND c))"),
        ("now()", "now()"),
    ],
)
def test_brackets_and_casts_to_text_make_no_difference(ours, theirs):
    assert is_same(ours, theirs)


@pytest.mark.parametrize(
    "theirs",
    [
        "true",
        "",
        "organisation_id = current_setting('marketedge.person')::bigint",
        "(organisation_id = (current_setting('marketedge.organisation'::text, true))::bigint)",
        f"({THEIRS} OR true)",
        f"({THEIRS} AND true)",
        "(organisation_id <> 1)",
        "(id = (current_setting('marketedge.organisation'::text))::bigint)",
        "(organisation_id = (current_setting('marketedge.organisation'::text))::integer)",
        "(organisation_id IS NOT NULL)",
        "(organisation_id =",
        "f(1",
        "= 1",
        "a b",
        "a = 'open",
    ],
)
def test_anything_else_is_another_condition(theirs):
    assert not is_same(OURS, theirs)


def test_where_the_brackets_stand_matters():
    assert not is_same("a OR b AND c", "((a OR b) AND c)")
