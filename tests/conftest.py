"""What all tests share: one connection, the owner's, that takes the web's roles as requests do."""

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from django.test.utils import setup_databases, teardown_databases
from pytest_django import DjangoDbBlocker

from accounts.limits import SharedLimiter
from accounts.rates import ProcessLimiter
from modules.flags.exposure.counting import Ledger, ledger
from modules.flags.snapshot import Snapshot
from modules.flags.watching import State, Watcher
from tenants import scope
from tenants.management.commands.database_roles import script
from tenants.postgresql import roles
from tests.bearer import AUDIENCE, KnownKeys, authorization


def pytest_configure(config: pytest.Config) -> None:
    """A shell that runs tests in the background has them ignore Ctrl-C, and so would the processes that they start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database, made and flushed by the owner; requests take the web's roles on the same connection."""
    web = dict(settings.DATABASES["default"])
    settings.DATABASES["default"].update(settings.OWNER_DATABASE or {})
    with django_db_blocker.unblock(), scope.login():
        _make_roles(web["USER"], web["PASSWORD"])
        made = setup_databases(verbosity=0, interactive=False, serialized_aliases=[])
    yield
    with django_db_blocker.unblock(), scope.login():
        teardown_databases(made, verbosity=0)


def _make_roles(web: str, password: str) -> None:
    with connections["default"]._nodb_cursor() as cursor:
        cursor.execute(script(web, f"'{password}'"))
        cursor.execute(f"GRANT {', '.join(roles.ALL)} TO CURRENT_USER")


@pytest.fixture
def client() -> Client:
    """A browser at an https address."""
    return Client(headers={"X-Forwarded-Proto": "https"})


class ReadingStore(Watcher):
    """The flags as the test's own connection sees them: its transaction is nobody else's to read."""

    def current(self) -> Snapshot:
        self._source = "nothing"  # so that it is the same two queries every time
        self._look()
        self._adopt(self._snapshot.version, self._snapshot.document)
        return self._snapshot

    def _ask(self) -> None:
        self._read()

    def says(self, state: State) -> None:
        """For tests of who tells it on."""
        self._said = state

    def state(self) -> State:
        return getattr(self, "_said", None) or super().state()

    def begin(self) -> None:
        """Without a thread."""

    def wait_for_first_look(self) -> bool:
        return self._look()

    def hurry(self) -> None:
        """Whoever asks looks anyway."""


@pytest.fixture(autouse=True)
def flag_store(monkeypatch: pytest.MonkeyPatch) -> ReadingStore:
    store = ReadingStore()
    monkeypatch.setattr("modules.flags.watching.store", store)
    return store


@pytest.fixture(autouse=True)
def ledger_of_flags(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Nothing that another test counted, and no thread that writes it."""
    monkeypatch.setattr(ledger, "at_news", lambda: True)
    ledger.taken()
    return ledger


class AnsweringProvider:
    """What the sign-in page is told of the identity provider, which tests of other things do not ask."""

    def answer(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def provider_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.availability.prober", AnsweringProvider())


@pytest.fixture(autouse=True)
def limits_that_nobody_has_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with whole allowances, whatever the tests before it have asked for.

    A slow machine must not end the count of a test: it would break the transaction that the test is in.
    """
    monkeypatch.setattr("accounts.limits.PATIENCE", 20.0)
    monkeypatch.setattr("accounts.limits.process_limiter", ProcessLimiter())
    monkeypatch.setattr("accounts.limits.shared_limiter", SharedLimiter())


@pytest.fixture
def bearer(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    """The Authorization header of a person's access token: bearer("subject"), with claims and header as wanted."""
    settings.API_AUDIENCE = AUDIENCE
    monkeypatch.setattr("accounts.signed_tokens.key_store", KnownKeys())
    return authorization
