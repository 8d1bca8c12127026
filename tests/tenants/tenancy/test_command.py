"""`check_tenancy`: the whole report, with its exit code."""

import io
import json
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import call_command

from tests.environment import ROOT
from tests.factories import make_invitation, make_organisation
from tests.marketedge.serving import environment
from tests.tenants.tenancy.conftest import WEB


@pytest.fixture
def told(monkeypatch):
    """Exit code and answer of the command, asking as the tests' connection: the owner's."""
    monkeypatch.setitem(settings.DATABASES["default"], "USER", WEB)

    def tell() -> tuple[int, dict]:
        output, code = io.StringIO(), 0
        try:
            call_command("check_tenancy", as_json=True, stdout=output)
        except SystemExit as end:
            code = int(end.code or 0)
        return code, json.loads(output.getvalue())

    return tell


@pytest.fixture
def neighbours(cursor):
    for organisation in (make_organisation(), make_organisation()):
        make_invitation(organisation, f"{organisation.slug}@example.com")
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_all_is_well_in_a_database_as_it_is_made(told, neighbours):
    code, answer = told()

    assert (code, {finding["state"] for finding in answer["findings"]}) == (0, {"ok", "note"})


@pytest.mark.parametrize(
    ("statement", "subjects"),
    [
        ("ALTER TABLE accounts_invitation NO FORCE ROW LEVEL SECURITY", {"row security"}),
        ("ALTER POLICY organisation ON accounts_invitation USING (true)", {"row security", "probe"}),
        ("ALTER ROLE marketedge_app LOGIN", {"roles"}),
        ("GRANT UPDATE ON accounts_user TO marketedge_app", {"privileges"}),
        ("CREATE TABLE copied (organisation_id bigint)", {"tables"}),
    ],
)
def test_each_part_of_it_counts(told, neighbours, cursor, statement, subjects):
    cursor.execute(statement)

    code, answer = told()

    problems = {finding["subject"] for finding in answer["findings"] if finding["state"] == "problem"}
    assert (code, problems) == (1, subjects)


def test_a_database_that_is_away_is_exit_code_3():
    dead = "postgres://marketedge_web:pw@127.0.0.1:1/marketedge"
    ended = subprocess.run(
        [sys.executable, "manage.py", "check_tenancy", "--json"],
        cwd=ROOT,
        env=environment(DATABASE_URL=dead, DATABASE_OWNER_URL=""),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (ended.returncode, json.loads(ended.stdout)["findings"][-1]["says"]) == (
        3,
        "the connection is refused: nothing listens there",
    )
