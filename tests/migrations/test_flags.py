"""The simple form of flags becomes the first release, and comes back unchanged."""

import json

import pytest

from modules.flags.soundness import require_sound
from tests.migrations.databases import Database

pytestmark = pytest.mark.served
FLAG = """
INSERT INTO flags_flag (public_id, key, name, purpose, module_key, is_enabled, is_killed, is_archived, rollout, bucket_by,
    salt, hash_version, allowed_sectors, blocked_sectors, created_at, updated_at, window_ends_at)
VALUES (gen_random_uuid(), %s, 'Name', '', '', true, false, false, 25000, 'person', %s, 1, %s, '["551"]', now(), now(),
    '2027-01-31 09:00+01')
"""
OVERRIDE = """
INSERT INTO flags_flagoverride (public_id, flag_id, organisation_id, value, reason, created_at)
SELECT gen_random_uuid(), f.id, o.id, true, 'demo', now() FROM flags_flag f, tenants_organisation o WHERE f.key = 'top'
"""
NEEDS = """
INSERT INTO flags_flagprerequisite (flag_id, needs_id)
SELECT f.id, n.id FROM flags_flag f, flags_flag n WHERE f.key = 'top' AND n.key = 'base'
"""


@pytest.fixture
def simple(behind) -> Database:
    """As the release before left it, with two flags that use all that there was."""
    database: Database = behind(("flags", "0001"))
    with database.session() as session:
        session.execute(
            "INSERT INTO tenants_organisation (public_id, name, slug, industry, sector, plan, status,"
            " auth0_organisation_id, created_at) VALUES ('0e6b1f3e-0000-4000-8000-000000000000', 'Ours', 'ours',"
            " 'default', '', 'basic', 'active', '', now())"
        )
        for key, allowed in (("base", "[]"), ("top", '["59140", "55"]')):
            session.execute(FLAG, (key, key, allowed))
        session.execute(OVERRIDE)
        session.execute(NEEDS)
    return database


def document(database: Database) -> str:
    ((text,),) = database.rows("SELECT document FROM flags_flagrelease WHERE number = 1")
    return text


def test_it_becomes_the_first_release(simple):
    simple.must("migrate", "flags")

    top = require_sound(document(simple))["top"]
    assert (top.allowed_sectors, top.blocked_sectors, top.needs, top.rollout) == (("55", "59140"), ("551",), ("base",), 25_000)
    assert [(one.target, one.is_on) for one in top.overrides] == [("0e6b1f3e-0000-4000-8000-000000000000", True)]
    assert simple.rows("SELECT number FROM flags_flagpointer") == [(1,)]


def test_the_first_release_says_what_the_actions_would_publish(simple):
    simple.must("migrate", "flags")

    told = json.loads(simple.manage("flags", "check", "--json").stdout)

    assert [one["says"] for one in told["findings"] if one["subject"] == "release"] == [
        "1 says what the tables say, and makes sense"
    ]


def test_it_comes_back_as_it_was(simple):
    query = "SELECT key, allowed_sectors, blocked_sectors, rollout FROM flags_flag ORDER BY key"
    before = [(key, sorted(allowed), blocked, rollout) for key, allowed, blocked, rollout in simple.rows(query)]
    simple.must("migrate", "flags")

    simple.must("migrate", "flags", "0001")

    after = [(key, sorted(allowed), blocked, rollout) for key, allowed, blocked, rollout in simple.rows(query)]
    assert after == before


def test_the_release_before_can_still_write_flags(simple):
    simple.must("migrate", "flags")

    with simple.session() as session:
        session.execute(FLAG, ("late", "late", "[]"))

    assert simple.rows("SELECT kind, value_type, off_value FROM flags_flag WHERE key = 'late'") == [
        ("release", "boolean", False)
    ]


RELEASE = """
INSERT INTO flags_flagrelease (number, document, author_email, reason, created_at) VALUES (%s, %s, '', 'demo', now())
"""
DOCUMENTS = (
    '{"format":1,"flags":{"base":{"rollout":1},"top":{"rollout":1}}}',
    '{"format":1,"flags":{"base":{"rollout":2},"top":{"rollout":1}}}',
    "nonsense",
    '{"format":1,"flags":{"base":{"rollout":2}}}',
    '{"format":1,"flags":{}}',
)
CHANGES = [(1, ["base", "top"]), (2, ["base"]), (3, None), (4, None), (5, ["base"])]


def released(database: Database, *numbers: int) -> None:
    with database.session() as session:
        for number in numbers:
            session.execute(RELEASE, (number, DOCUMENTS[number - 1]))


def test_releases_that_were_there_tell_what_they_changed_and_so_do_those_of_the_release_before(behind):
    database: Database = behind(("flags", "0005"))
    released(database, 1, 2, 3)

    database.must("migrate", "flags")
    released(database, 4, 5)

    assert database.rows("SELECT number, changes FROM flags_flagrelease ORDER BY number") == CHANGES
