"""Whose data may the running code touch? One organisation's, one person's memberships, the platform's, or nobody's.

Views, tasks and commands enter a scope explicitly; the database backend follows it (see `tenants.postgresql`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    NONE = "none"
    ORGANISATION = "organisation"
    PERSON = "person"
    PLATFORM = "platform"
    LOGIN = "login"


@dataclass(frozen=True, slots=True)
class Scope:
    """`organisation_id` and `person_id` are database ids; each is set for its own kind only."""

    kind: Kind
    organisation_id: int | None = None
    person_id: int | None = None


class ScopeRequired(RuntimeError):
    """Tenant-owned rows were asked for before anybody said whose."""


NONE = Scope(Kind.NONE)
_current: ContextVar[Scope] = ContextVar("scope", default=NONE)


def current() -> Scope:
    return _current.get()


@contextmanager
def _entered(scope: Scope) -> Iterator[Scope]:
    token = _current.set(scope)
    try:
        yield scope
    finally:
        _current.reset(token)


def organisation(organisation_id: int):
    """Work inside one organisation: row security shows and accepts its rows alone."""
    return _entered(Scope(Kind.ORGANISATION, organisation_id=organisation_id))


def person(person_id: int):
    """Read one person's own memberships, before an organisation is chosen; nothing else is readable."""
    return _entered(Scope(Kind.PERSON, person_id=person_id))


def platform():
    """Work across organisations. Only the places that tests/tenants/test_scope_doors.py lists may enter it."""
    return _entered(Scope(Kind.PLATFORM))


def login():
    """Take no role at all: what the database login itself may do. Migrations run so, as the owner."""
    return _entered(Scope(Kind.LOGIN))


def nobody():
    """Leave every scope, for code that must not inherit its caller's."""
    return _entered(NONE)
