"""How long may the running code wait for the database? Our own limit, for a server that acknowledges and stays mute."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import psycopg

_ends_at: ContextVar[float | None] = ContextVar("database_deadline", default=None)


class DeadlinePassed(psycopg.OperationalError):
    """The database did not answer in the time there was; the connection is closed."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """All waits for the database inside end after so many seconds together; an outer, shorter limit still holds."""
    token = _ends_at.set(min(time.monotonic() + seconds, _ends_at.get() or float("inf")))
    try:
        yield
    finally:
        _ends_at.reset(token)


def remaining(limit: float | None = None) -> float | None:
    """Seconds that one wait may take: what is left, at most `limit`; None when nothing bounds it."""
    ends_at = _ends_at.get()
    if ends_at is None:
        return limit
    left = max(0.0, ends_at - time.monotonic())
    return left if limit is None else min(left, limit)
