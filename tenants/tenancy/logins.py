"""Are the roles as modest as they were made, and is the web's login no more than a member of them?"""

from typing import Any

from tenants.operations import Report
from tenants.postgresql import roles

MADE_BY = "`manage.py database_roles` prints how they are made."

# An attribute of a role, and what it is called when it has it.
ATTRIBUTES = {
    "rolcanlogin": "may log in",
    "rolinherit": "inherits what it is a member of (make it NOINHERIT)",
    "rolsuper": "is a superuser",
    "rolbypassrls": "has BYPASSRLS",
    "rolcreaterole": "may make roles",
    "rolcreatedb": "may make databases",
    "rolreplication": "may replicate",
}
# Who is a member of which role, as it was granted; from PostgreSQL 16 on each grant says whether it is inherited.
MEMBERSHIPS = """
SELECT member.rolname, granted.rolname, member.rolsuper,
       coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)
           OR coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, member.rolinherit)
FROM pg_auth_members m JOIN pg_roles member ON member.oid = m.member JOIN pg_roles granted ON granted.oid = m.roleid
"""
LOGIN_RIGHTS = """
SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relowner = r.oid AND n.nspname NOT LIKE 'pg\\_%%')
           OR EXISTS (SELECT FROM pg_proc p WHERE p.proowner = r.oid),
       EXISTS (SELECT FROM pg_database d WHERE d.datdba = r.oid AND d.datname = current_database()),
       has_schema_privilege(r.oid, 'public', 'CREATE'),
       has_database_privilege(r.oid, current_database(), 'CREATE'),
       has_database_privilege(r.oid, current_database(), 'TEMPORARY')
FROM pg_roles r WHERE r.rolname = %s
"""
RIGHTS = (
    "owns tables or functions",
    "owns the database",
    "may create tables in the schema public",
    "may create schemas",
    "may create temporary tables, which hide the real ones",
)
INHERITED = "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND pg_has_role(%s, oid, 'USAGE')"


def examine(cursor: Any, *, web: str) -> Report:
    """`web` is the name of DATABASE_URL's login. Any login may ask this."""
    report = Report()
    known = _attributes(cursor, [*roles.ALL, web])
    for role in roles.ALL:
        _examine_role(report, role, known.get(role))
    _examine_members(report, cursor, web)
    _examine_web_login(report, cursor, web, known.get(web))
    subjects = {finding.subject for finding in report.findings}
    if "roles" not in subjects:
        report.ok("roles", f"{', '.join(roles.ALL)} are roles and nothing more")
    if "database login" not in subjects:
        report.ok("database login", f"{web} owns nothing, inherits nothing and may do nothing by itself")
    return report


def _attributes(cursor: Any, names: list[str]) -> dict[str, dict[str, bool]]:
    cursor.execute(f"SELECT rolname, {', '.join(ATTRIBUTES)} FROM pg_roles WHERE rolname = ANY(%s)", [names])  # noqa: S608
    return {name: dict(zip(ATTRIBUTES, values, strict=True)) for name, *values in cursor.fetchall()}


def _examine_role(report: Report, role: str, attributes: dict[str, bool] | None) -> None:
    if attributes is None:
        report.problem("roles", f"{role} does not exist", MADE_BY)
        return
    for attribute, is_so in attributes.items():
        if is_so:
            report.problem("roles", f"{role} {ATTRIBUTES[attribute]}", MADE_BY)


def _examine_members(report: Report, cursor: Any, web: str) -> None:
    """Only the web's login, the owner and superusers may take our roles, and the roles themselves take no other."""
    allowed = {web, _owner(cursor)}
    cursor.execute(MEMBERSHIPS)
    for member, granted, is_superuser, is_effective in cursor.fetchall():
        mend = f"REVOKE {granted} FROM {member}"
        is_taken = granted in roles.ALL and is_effective and not is_superuser and member not in allowed
        if member in roles.ALL or is_taken:
            report.problem("roles", f"{member} is a member of {granted}", mend)
        elif member == web and granted not in roles.ALL:
            report.problem("database login", f"{web} is a member of {granted}", mend)


def _owner(cursor: Any) -> str | None:
    cursor.execute("SELECT tableowner FROM pg_tables WHERE schemaname = 'public' AND tablename = 'django_migrations'")
    row = cursor.fetchone()
    return row[0] if row else None


def _examine_web_login(report: Report, cursor: Any, web: str, attributes: dict[str, bool] | None) -> None:
    if attributes is None:
        report.problem("database login", f"{web} does not exist", MADE_BY)
        return
    wrong = [words for attribute, words in ATTRIBUTES.items() if attributes[attribute] and attribute != "rolcanlogin"]
    cursor.execute(LOGIN_RIGHTS, [web])
    wrong += [words for words, is_so in zip(RIGHTS, cursor.fetchone(), strict=True) if is_so]
    cursor.execute(INHERITED, [list(roles.ALL), web])
    wrong += [f"has the rights of {role} without taking the role" for (role,) in cursor.fetchall()]
    for words in wrong:
        report.problem("database login", f"{web} {words}", f"It must be no more than a member of the roles. {MADE_BY}")
