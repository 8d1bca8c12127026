"""Databases for tests of migrations: one migrated completely, and copies of it to spoil."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.migrations.databases import Database, database

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def migrated() -> Iterator[Database]:
    """Not to be changed: others are copied from it."""
    with database("marketedge_migrated") as made:
        made.must("database_roles", "--apply")
        made.must("migrate")
        yield made


@pytest.fixture
def empty(migrated: Database) -> Iterator[Database]:
    """Nothing in it; the roles, which are the cluster's, are there."""
    with database(f"marketedge_empty_{next(_numbers)}") as made:
        yield made


@pytest.fixture
def copy(migrated: Database) -> Iterator[Database]:
    with database(f"marketedge_copy_{next(_numbers)}", like=migrated) as made:
        yield made


@pytest.fixture
def behind(copy: Database) -> Callable[..., Database]:
    """A copy as an earlier release left it: `behind(("accounts", "0001"))` has accounts migrated that far."""

    def reversed_to(*targets: tuple[str, str]) -> Database:
        for application, name in targets:
            copy.must("migrate", application, name)
        return copy

    return reversed_to


@pytest.fixture
def stops() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack
