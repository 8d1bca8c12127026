"""What each database role may do with each table: rewritten after every migration, from the list in `ownership`."""

from typing import Any

from django.db import connections, models
from django.db.backends.utils import CursorWrapper

from tenants import ownership
from tenants.postgresql import roles

EVERYBODY = ", ".join(roles.ALL)
PERSON_READS = {"tenants.Membership", "tenants.Organisation"}


def apply_privileges(*, using: str, **_: Any) -> None:
    """Receiver of post_migrate: grants what the list says, and takes away whatever else was granted."""
    connection = connections[using]
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        if not _roles_exist(cursor):
            raise RuntimeError("The database roles are missing: run `manage.py database_roles --apply` first.")
        cursor.execute("\n".join(statements(tables)))


def statements(tables: set[str]) -> list[str]:
    """The SQL for the tables that exist."""
    written = [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {EVERYBODY};",
        f"GRANT USAGE ON SCHEMA public TO {EVERYBODY};",
        f"GRANT SELECT ON django_migrations TO {roles.APP}, {roles.PLATFORM};",
    ]
    for model in ownership.all_models():
        if model._meta.db_table in tables:
            written += _grants(model)
    for table in sorted(tables & set(ownership.LEAVING)):
        written += _grant(table, ownership.LEAVING[table])
    return written


def _grants(model: type[models.Model]) -> list[str]:
    name, table = ownership.label(model), model._meta.db_table
    writable = ownership.GlobalTable("its rows are held by row security", app=ownership.WRITE)
    allowed = ownership.GLOBAL_TABLES.get(name) or ownership.TENANT_EXCEPTIONS.get(name) or writable
    granted = _grant(table, allowed)
    if name in PERSON_READS:
        granted.append(f'GRANT SELECT ON "{table}" TO {roles.PERSON};')
    return granted


def _grant(table: str, allowed: ownership.GlobalTable) -> list[str]:
    return [
        f'GRANT {allowed.app} ON "{table}" TO {roles.APP};',
        f'GRANT {allowed.platform} ON "{table}" TO {roles.PLATFORM};',
    ]


def _roles_exist(cursor: CursorWrapper) -> bool:
    cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = ANY(%s)", [list(roles.ALL)])
    return cursor.fetchone() == (len(roles.ALL),)
