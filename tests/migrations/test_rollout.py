"""While a release replaces another: the new one is not ready on the old schema, the old one stays ready on the new."""

import json
import time

import pytest

from tests.marketedge.serving import ask, environment, gunicorn, wait_for
from tests.migrations.databases import Database
from tests.migrations.test_migrate_safely import APPLY

pytestmark = pytest.mark.served


def web(database: Database) -> dict[str, str]:
    return environment(DATABASE_URL=database.environment["DATABASE_URL"], DATABASE_OWNER_URL="")


def test_a_new_release_is_ready_as_soon_as_its_migrations_are_applied(behind):
    database = behind(("accounts", "0001"))
    with gunicorn(web(database)) as address:
        wait_for(f"{address}/healthz/live", seconds=30)
        status, said, _ = ask(f"{address}/healthz/ready")
        assert (status, "accounts.0002_initial" in json.loads(said)["problems"]["migrations"]) == (503, True)

        database.must("migrate_safely", *APPLY)

        # Without a restart.
        assert wait_for(f"{address}/healthz/ready", seconds=10) < 10


def test_the_release_before_stays_ready_while_the_schema_grows(copy):
    with gunicorn(web(copy)) as address:
        wait_for(f"{address}/healthz/ready", seconds=30)
        with copy.session() as newer:
            newer.execute("ALTER TABLE tenants_organisation ADD colour text")
            newer.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('tenants', '9999_newer', now())")

        # Longer than an answer is kept, so that the database was asked anew.
        answers = stays(f"{address}/healthz/ready", seconds=3)

    assert answers == {200}


def stays(url: str, seconds: float) -> set[int]:
    """Every status that the address answers within so many seconds."""
    ends_at, seen = time.monotonic() + seconds, set()
    while time.monotonic() < ends_at:
        seen.add(ask(url)[0])
        time.sleep(0.2)
    return seen
