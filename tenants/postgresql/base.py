"""Django's PostgreSQL backend, with one addition: before each statement the session takes on the current scope."""

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.utils import OperationalError

from tenants import scope
from tenants.postgresql import deadline, privileges, roles, startup, waits
from tenants.postgresql.connection import BoundedConnection

FOLLOW = (
    "SELECT set_config('role', %s, false), set_config('marketedge.organisation', %s, false),"
    " set_config('marketedge.person', %s, false)"
)
IDLE_CHECK = 3  # seconds
# After these the server may have gone back to earlier settings, a savepoint's included.
FORGETS = ("ROLLBACK", "SET", "RESET", "DISCARD", "ABORT")


class PrivilegedLogin(OperationalError):
    """DATABASE_URL names a login that row security does not hold."""


class ScopedCursor(base.Cursor):
    """Every statement, raw ones included, runs in the current scope."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        with waits.Statement():
            self._wrapper.follow_scope()
            try:
                return super().execute(query, params, **options)
            finally:
                self._wrapper.notice(self.statusmessage)

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> Any:
        with waits.Statement():
            self._wrapper.follow_scope()
            return super().executemany(query, params_seq, **options)

    def stream(self, query: Any, params: Any = None, **options: Any) -> Any:
        self._wrapper.follow_scope()
        return super().stream(query, params, **options)

    def copy(self, statement: Any, params: Any = None, **options: Any) -> Any:
        self._wrapper.follow_scope()
        return super().copy(statement, params, **options)

    @property
    def _wrapper(self) -> "DatabaseWrapper":
        return self.connection.scoped_by


class SchemaEditor(DatabaseSchemaEditor):
    """Django's own, which leaves its transaction open when what it runs at the very end fails."""

    def __exit__(self, kind: Any, raised: Any, trace: Any) -> None:
        if kind is None:
            try:
                self._run_deferred()
            except BaseException as late:
                super().__exit__(type(late), late, late.__traceback__)
                raise
        super().__exit__(kind, raised, trace)

    def _run_deferred(self) -> None:
        while self.deferred_sql:
            self.execute(self.deferred_sql.pop(0), None)


class Driver:
    """psycopg as Django's backend asks for it, connecting with waits that are bounded."""

    connect = BoundedConnection.connect

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)


class DatabaseWrapper(base.DatabaseWrapper):
    Database = Driver()  # type: ignore[assignment]
    SchemaEditorClass = SchemaEditor
    _applied: tuple[str, str, str] | None = None

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "cursor_factory": ScopedCursor}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        startup.require_loaded()
        with waits.Connecting():
            connection = super().get_new_connection(conn_params)
            connection.scoped_by = self
            connection.limit = self.settings_dict.get("CLIENT_DEADLINE")
            self._refuse_privileged_login(connection)
        return connection

    def connect(self) -> None:
        self._applied = None
        super().connect()

    def is_usable(self) -> bool:
        """Asked of a connection that was idle: one whose other end is gone must not cost a request its whole time."""
        with deadline.within(self.settings_dict["OPTIONS"].get("connect_timeout", IDLE_CHECK)):
            return super().is_usable()

    def follow_scope(self) -> None:
        """Give the database session the role, organisation and person of the current scope, unless it has them."""
        wanted = roles.session_settings(scope.current())
        if wanted == self._applied or self._has_failed_transaction():
            return
        self._applied = None
        with psycopg.ClientCursor(self.connection) as cursor:
            cursor.execute(FOLLOW, wanted)
        self._applied = wanted

    def _has_failed_transaction(self) -> bool:
        # Only a rollback works in it, and it must not be kept from running.
        return self.connection.info.transaction_status is psycopg.pq.TransactionStatus.INERROR

    def notice(self, status: str | None) -> None:
        if status is None or status.startswith(FORGETS):
            self._applied = None

    def _commit(self) -> None:
        with waits.Statement():
            super()._commit()

    def _rollback(self) -> None:
        self._applied = None
        super()._rollback()

    def _refuse_privileged_login(self, connection: Any) -> None:
        if self.settings_dict.get("LOGIN") != "web":
            return
        with psycopg.ClientCursor(connection) as cursor:
            faults = privileges.faults_of_login(cursor)
        connection.commit()
        if faults:
            connection.close()
            raise PrivilegedLogin(f"DATABASE_URL names a login that voids row security: {', '.join(faults)}.")
