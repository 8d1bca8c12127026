"""Refuses database connections while the product is being loaded: a dead database must never hold up a start."""

from collections.abc import Iterator
from contextlib import contextmanager

_is_loading = False


class DatabaseTouchedAtStartup(RuntimeError):
    """Some import or `ready()` asked the database; move it behind the first request."""


@contextmanager
def no_database() -> Iterator[None]:
    global _is_loading
    _is_loading = True
    try:
        yield
    finally:
        _is_loading = False


def require_loaded() -> None:
    if _is_loading:
        raise DatabaseTouchedAtStartup("The database was asked while the product was loading.")
