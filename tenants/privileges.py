"""What each database role may do with each table: rewritten after every migration, from the list in `ownership`."""

import re
from typing import Any, NamedTuple

from django.db import connections, models
from django.db.backends.utils import CursorWrapper

from tenants import ownership
from tenants.postgresql import roles

EVERYBODY = ", ".join(roles.ALL)
PERSON_READS = {"tenants.Membership", "tenants.Organisation"}
# Relations that an extension brought are its own affair.
HELD = """
WITH ours AS (
    SELECT c.oid, c.relname, c.relacl, c.relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
), held AS (
    SELECT relname, relowner, '' AS attname, acl.* FROM ours, aclexplode(relacl) AS acl
    UNION ALL
    SELECT relname, relowner, attname, acl.*
    FROM ours JOIN pg_attribute ON attrelid = ours.oid, aclexplode(attacl) AS acl
)
SELECT coalesce(r.rolname, 'PUBLIC'), relname, privilege_type, attname
FROM held LEFT JOIN pg_roles r ON r.oid = held.grantee
WHERE held.grantee = 0 OR (r.rolname = ANY(%s) AND held.grantee <> held.relowner)
"""


class Privilege(NamedTuple):
    """`column` is empty for the whole table."""

    role: str
    table: str
    kind: str
    column: str = ""

    def __str__(self) -> str:
        return f"{self.role} {self.kind}{f' ({self.column})' if self.column else ''} on {self.table}"


def apply_privileges(*, using: str, **_: Any) -> None:
    """Receiver of post_migrate: grants what the list says, and takes away whatever else was granted."""
    connection = connections[using]
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        if not roles_exist(cursor):
            raise RuntimeError("The database roles are missing: run `manage.py database_roles --apply` first.")
        cursor.execute("\n".join([*statements(tables), *_closed(connection)]))


def statements(tables: set[str]) -> list[str]:
    """The SQL for the tables that exist."""
    return [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {EVERYBODY};",
        f"GRANT USAGE ON SCHEMA public TO {EVERYBODY};",
        *(f'GRANT {kinds} ON "{table}" TO {role};' for role, table, kinds in _grants(tables)),
    ]


def _closed(connection: Any) -> list[str]:
    """Nobody makes tables by being somebody: a temporary one would hide the real one of its name."""
    database = connection.ops.quote_name(connection.settings_dict["NAME"])
    return [
        f"REVOKE CREATE, TEMPORARY ON DATABASE {database} FROM PUBLIC;",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC;",
    ]


def differences(
    cursor: CursorWrapper, tables: set[str], *, logins: tuple[str, ...] = ()
) -> tuple[set[Privilege], set[Privilege]]:
    """Which privileges are missing from what the list says of these tables, and which are held beyond it.

    `logins` are looked at like the roles; what an owner may do with its own is no privilege that it was given.
    """
    listed = {
        Privilege(role, table, *kind) for role, table, kinds in _grants(tables) for kind in _kinds_and_columns(kinds)
    }
    cursor.execute(HELD, [[*roles.ALL, *logins]])
    held = {Privilege(*row) for row in cursor.fetchall()}
    return listed - held, held - listed


def _kinds_and_columns(kinds: str) -> list[tuple[str, str]]:
    """("SELECT", "") and ("UPDATE", "last_login") of "SELECT, UPDATE (last_login)"."""
    return re.findall(r"(\w+)(?: \((\w+)\))?", kinds)


def _grants(tables: set[str]) -> list[tuple[str, str, str]]:
    """Role, table and kinds, for the tables that exist."""
    granted = [(role, "django_migrations", ownership.READ) for role in (roles.APP, roles.PLATFORM)]
    for model in ownership.all_models():
        granted += _grants_of(model)
    for table, allowed in ownership.LEAVING.items():
        granted += _pair(table, allowed)
    return [grant for grant in granted if grant[1] in tables]


def _grants_of(model: type[models.Model]) -> list[tuple[str, str, str]]:
    name, table = ownership.label(model), model._meta.db_table
    writable = ownership.GlobalTable("its rows are held by row security", app=ownership.WRITE)
    allowed = ownership.GLOBAL_TABLES.get(name) or ownership.TENANT_EXCEPTIONS.get(name) or writable
    reads = [(roles.PERSON, table, ownership.READ)] if name in PERSON_READS else []
    return [*_pair(table, allowed), *reads]


def _pair(table: str, allowed: ownership.GlobalTable) -> list[tuple[str, str, str]]:
    return [(roles.APP, table, allowed.app), (roles.PLATFORM, table, allowed.platform)]


def roles_exist(cursor: CursorWrapper) -> bool:
    cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = ANY(%s)", [list(roles.ALL)])
    return cursor.fetchone() == (len(roles.ALL),)
