"""The catalogue of the test database, to be broken inside a transaction that is rolled back."""

import os
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from marketedge.environment import parse_database
from tenants import scope

WEB = parse_database(os.environ["DATABASE_URL"])["USER"]


@pytest.fixture
def cursor(db: None) -> Iterator[object]:
    """As the owner."""
    with scope.login(), connection.cursor() as opened:
        yield opened


@pytest.fixture
def problems() -> Callable[..., list[str]]:
    """What a report holds against the database."""
    return lambda report: [f"{finding.subject}: {finding.says}" for finding in report.findings if is_bad(finding)]


def is_bad(finding) -> bool:
    return finding.state not in {"ok", "note"}
