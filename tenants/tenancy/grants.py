"""May each role do with each table what the list in `tenants.ownership` says, and no more?"""

from itertools import groupby
from typing import Any

from tenants import privileges
from tenants.operations import Report
from tenants.postgresql import roles
from tenants.privileges import Privilege

MEND = "`manage.py migrate_safely --apply` writes the privileges again."
EVERYBODY = "PUBLIC"

FUNCTIONS = """
SELECT p.proname, r.rolname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace, pg_roles r
WHERE n.nspname = 'public' AND p.prosecdef AND r.rolname = ANY(%s) AND r.oid <> p.proowner
  AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
"""
DEFAULTS = """
SELECT DISTINCT coalesce(grantee.rolname, %s) FROM pg_default_acl d CROSS JOIN LATERAL aclexplode(d.defaclacl) acl
LEFT JOIN pg_roles grantee ON grantee.oid = acl.grantee
"""


def examine(cursor: Any, *, web: str) -> Report:
    """`web` is the name of DATABASE_URL's login, which has no privilege of its own. Any login may ask this."""
    report = Report()
    tables = set(cursor.db.introspection.table_names(cursor))
    missing, surplus = privileges.differences(cursor, tables, logins=(web,))
    for role, table, kinds in _told(missing):
        report.problem("privileges", f"{role} may not {kinds} {table}, which it needs", MEND)
    for role, table, kinds in _told(surplus):
        report.problem("privileges", f"{role} may {kinds} {table}, which it need not", MEND)
    _examine_functions(report, cursor, web)
    _examine_defaults(report, cursor, (*roles.ALL, web, EVERYBODY))
    if not report.findings:
        report.ok("privileges", "as listed, for tables and everything else in the schema")
    return report


def _told(found: set[Privilege]) -> list[tuple[str, str, str]]:
    """Role, table and all kinds in one."""
    return [
        (role, table, ", ".join(f"{one.kind}{f' ({one.column})' if one.column else ''}" for one in group))
        for (role, table), group in groupby(sorted(found), key=lambda one: (one.role, one.table))
    ]


def _examine_functions(report: Report, cursor: Any, web: str) -> None:
    cursor.execute(FUNCTIONS, [[*roles.ALL, web]])
    for function, role in cursor.fetchall():
        says = f"{role} may call {function}, which works with the rights of its owner"
        report.problem("privileges", says, f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC, {role}")


def _examine_defaults(report: Report, cursor: Any, ours: tuple[str, ...]) -> None:
    cursor.execute(DEFAULTS, [EVERYBODY])
    for (role,) in cursor.fetchall():
        if role in ours:
            report.problem("privileges", f"{role} is granted what is made from now on", "ALTER DEFAULT PRIVILEGES ...")
