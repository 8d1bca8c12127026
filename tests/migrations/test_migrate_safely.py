"""Migrations while people work: callers take turns, readers hardly notice, and what ends early ends between two."""

import json
import subprocess
import threading
import time
from collections import Counter

import psycopg
import pytest
from django.core.management import call_command

from tenants import migrating, privileges
from tests.migrations.databases import Database

pytestmark = [pytest.mark.served, pytest.mark.alone]
APPLY = ["--apply", "--actor", "ops@zebra-associates.example", "--reason", "release 7"]
APPLIED = "SELECT app || '.' || name FROM django_migrations"
EVENTS = "SELECT actor_email, reason, data -> 'migrations' FROM tenants_auditevent WHERE action = 'release.migrated'"


def applied_in(database: Database) -> set[str]:
    return {name for (name,) in database.rows(APPLIED)}


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


def test_a_dry_run_says_what_would_be_applied_and_applies_nothing(behind):
    database = behind(("admin", "0002"))

    told = database.manage("migrate_safely")

    assert (told.returncode, told.stdout) == (
        4,
        "would: apply migration admin.0003_logentry_add_action_flag_choices\n1 change pending; --apply makes them.\n",
    )
    assert "admin.0003_logentry_add_action_flag_choices" not in applied_in(database)


def test_ten_replicas_may_call_it_together(empty):
    together = [empty.start("migrate_safely", "--json", *APPLY) for _ in range(10)]

    ends = [ended(process) for process in together]

    assert [code for code, _, _ in ends] == [0] * 10, ends
    made = [json.loads(output)["changes"] for _, output, _ in ends]
    assert sorted(bool(changes) for changes in made) == [False] * 9 + [True]
    assert set(Counter(empty.rows(APPLIED)).values()) == {1}
    assert len(empty.rows(EVENTS)) == 1


def test_what_was_applied_is_in_the_audit_with_who_and_why(behind):
    database = behind(("admin", "0002"))

    told = database.manage("migrate_safely", *APPLY)

    assert told.returncode == 0, told.stderr
    assert database.rows(EVENTS) == [("ops@zebra-associates.example", "release 7", ["admin.0003_logentry_add_action_flag_choices"])]


def test_somebody_else_who_never_ends_is_not_waited_for_longer_than_the_time_limit(behind):
    database = behind(("admin", "0002"))
    with database.session() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [migrating.LOCK])

        told = database.manage("migrate_safely", *APPLY, "--timeout", "3")

    assert (told.returncode, "somebody else is applying migrations" in told.stdout) == (3, True)
    assert "admin.0003_logentry_add_action_flag_choices" not in applied_in(database)


def test_a_table_that_becomes_free_is_waited_for_while_readers_hardly_notice(behind):
    database = behind(("accounts", "0001"))
    with database.session() as holder:
        holder.execute("SELECT count(*) FROM accounts_invitation")
        process = database.start("migrate_safely", *APPLY, "--lock-timeout", "0.5")
        longest = longest_read(database, "accounts_invitation", seconds=5)
        is_waiting = process.poll() is None
        holder.commit()

        code, output, errors = ended(process)

    assert (is_waiting, code) == (True, 0), output + errors
    assert "accounts.0002_initial: a lock was not free within 0.5 s" in errors
    # It did stand in the way of readers, and not for much longer than it said.
    assert 0.3 < longest < 1.5


def longest_read(database: Database, table: str, seconds: float) -> float:
    """How long the slowest of many reads took, in seconds."""
    longest, ends_at = 0.0, time.monotonic() + seconds
    with database.session(autocommit=True) as reader:
        while time.monotonic() < ends_at:
            began = time.monotonic()
            reader.execute(f"SELECT count(*) FROM {table}")  # type: ignore[call-overload]
            longest = max(longest, time.monotonic() - began)
            time.sleep(0.02)
    return longest


def test_a_table_that_never_becomes_free_ends_between_two_migrations(behind):
    database = behind(("accounts", "0001"), ("admin", "zero"))
    with database.session() as holder:
        holder.execute("LOCK TABLE django_content_type IN ROW EXCLUSIVE MODE")

        told = database.manage("migrate_safely", *APPLY, "--lock-timeout", "0.3", "--timeout", "7")

    assert told.returncode == 1, told.stdout + told.stderr
    (line,) = [line for line in told.stdout.splitlines() if "is not applied" in line]
    assert line.startswith("FAIL  migrations: admin.0001_initial is not applied: a lock was not free in ")
    assert "django_content_type by session " in line
    assert "applied: " in told.stdout
    assert {"accounts.0002_initial", "admin.0001_initial"} & applied_in(database) == {"accounts.0002_initial"}
    assert database.rows("SELECT to_regclass('django_admin_log')") == [(None,)]


def test_what_was_applied_before_it_failed_is_in_the_audit(behind):
    database = behind(("accounts", "0001"), ("admin", "zero"))
    with database.session() as holder:
        holder.execute("LOCK TABLE django_content_type IN ROW EXCLUSIVE MODE")

        database.manage("migrate_safely", *APPLY, "--lock-timeout", "0.3", "--timeout", "7")

    ((_, _, migrations),) = database.rows(EVENTS)
    assert "accounts.0002_initial" in migrations


def test_a_migration_that_fails_is_named_and_taken_back(behind):
    database = behind(("accounts", "0001"))
    with database.session() as session:
        for address in ("Ann@client.example", "ann@client.example"):
            session.execute(
                "INSERT INTO accounts_user (public_id, email, name, is_active, is_staff, is_superuser, created_at)"
                " VALUES (gen_random_uuid(), %s, '', true, false, false, now())",
                [address],
            )

    told = database.manage("migrate_safely", *APPLY)

    assert told.returncode == 1
    assert "accounts.0002_initial failed and was taken back: could not create unique index" in told.stdout
    assert "client.example" not in told.stdout + told.stderr
    assert "accounts.0002_initial" not in applied_in(database)


def test_privileges_that_an_interrupted_run_left_unwritten_are_written_by_the_next(copy):
    with copy.session() as session:
        session.execute("REVOKE SELECT ON tenants_organisation FROM marketedge_app")

    told = copy.manage("migrate_safely", *APPLY)

    assert (told.returncode, told.stdout) == (0, "rewrote privileges\n1 change made.\n")
    assert copy.rows("SELECT has_table_privilege('marketedge_app', 'tenants_organisation', 'SELECT')") == [(True,)]


def test_a_second_run_finds_nothing_to_do(copy):
    told = copy.manage("migrate_safely", *APPLY)

    assert (told.returncode, told.stdout) == (0, "0 changes made.\n")
    assert copy.rows(EVENTS) == []


def test_it_is_not_done_without_saying_who_and_why(behind):
    database = behind(("admin", "0002"))

    told = database.manage("migrate_safely", "--apply")

    assert (told.returncode, "Give --actor and --reason" in told.stderr) == (2, True)
    assert "admin.0003_logentry_add_action_flag_choices" not in applied_in(database)


def test_without_the_owners_address_it_says_what_to_set(migrated):
    told = migrated.manage("migrate_safely", DATABASE_OWNER_URL="")

    assert (told.returncode, "Set DATABASE_OWNER_URL" in told.stderr) == (2, True)


@pytest.mark.django_db
def test_missing_roles_are_said_before_anything_is_applied(monkeypatch, capsys):
    monkeypatch.setattr(privileges, "roles_exist", lambda cursor: False)

    with pytest.raises(SystemExit) as end:
        call_command("migrate_safely", *APPLY)

    assert (end.value.code, "database_roles --apply" in capsys.readouterr().out) == (1, True)


def test_a_migration_may_take_longer_than_a_page(behind):
    """The limits of requests do not end it: an index takes as long as it takes, within the command's own time."""
    database = behind(("accounts", "0001"))
    with database.session() as holder:
        holder.execute("SELECT count(*) FROM accounts_invitation")
        threading.Timer(2.5, holder.rollback).start()

        told = database.manage(
            "migrate_safely", *APPLY, "--lock-timeout", "20", STATEMENT_TIMEOUT="1000", CLIENT_DEADLINE="2"
        )

    assert told.returncode == 0, told.stdout + told.stderr


def test_a_connection_that_is_lost_is_not_taken_for_success(behind):
    database = behind(("accounts", "0001"))
    with database.session() as holder:
        holder.execute("SELECT count(*) FROM accounts_invitation")
        process = database.start("migrate_safely", *APPLY, "--lock-timeout", "20")
        end_the_waiting(database)

        code, output, _ = ended(process)

    assert (code, "accounts.0002_initial" in applied_in(database)) == (3, False), output


def end_the_waiting(database: Database) -> None:
    """End the session that waits for a lock, as a failover does."""
    query = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
    for _ in range(200):
        with database.session(autocommit=True) as session:
            if session.execute(query).fetchall():
                return
        time.sleep(0.1)
    raise psycopg.OperationalError("nobody waits for a lock")
