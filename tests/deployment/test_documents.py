"""What the deployment notes promise is what the product does."""

import textwrap

import pytest

from tenants.management.commands.database_roles import script
from tests.environment import ROOT

DEPLOYMENT = (ROOT / "docs" / "deployment.md").read_text()
IN_ONE_LINE = " ".join(DEPLOYMENT.split())


@pytest.mark.parametrize(
    "rule",
    [
        "every migration can be applied while the release before serves",
        "**Expand** with the release that needs it",
        "**Contract** one release later",
        "Every migration goes back as well as forward",
    ],
)
def test_the_rule_for_migrations_is_written_down(rule):
    assert rule in IN_ONE_LINE


def test_the_sql_for_an_administrator_is_what_the_command_prints():
    printed = script("marketedge_web", "'...the password in DATABASE_URL...'")

    assert textwrap.indent(printed, "    ").rstrip() in DEPLOYMENT


def test_the_limits_for_a_pooled_login_are_those_of_the_settings(settings):
    for name, milliseconds in (
        ("statement_timeout", settings.STATEMENT_TIMEOUT),
        ("lock_timeout", settings.LOCK_TIMEOUT),
        ("idle_in_transaction_session_timeout", settings.IDLE_IN_TRANSACTION_TIMEOUT),
    ):
        assert f"ALTER ROLE marketedge_web SET {name} = '{milliseconds // 1000}s';" in DEPLOYMENT


def test_the_other_documents_lead_to_the_notes():
    assert "docs/deployment.md" in (ROOT / "README.md").read_text()
    assert "deployment.md" in (ROOT / "docs" / "operations.md").read_text()
