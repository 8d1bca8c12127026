"""Is this database login too mighty for the web? Row security does not hold superusers, owners and heirs."""

from typing import Any

from tenants.postgresql import roles

QUESTION = """
SELECT r.rolsuper, r.rolbypassrls,
       EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relowner = r.oid AND n.nspname = 'public'),
       EXISTS (SELECT FROM pg_roles p WHERE p.rolname = %s AND pg_has_role(r.oid, p.oid, 'USAGE'))
FROM pg_roles r WHERE r.rolname = session_user
"""
FAULTS = (
    "it is a superuser",
    "it has BYPASSRLS",
    "it owns tables",
    f"it inherits {roles.PLATFORM} (make it NOINHERIT)",
)


def faults_of_login(cursor: Any) -> list[str]:
    """What makes the session's login unfit for the web, in words; empty when it is fit."""
    cursor.execute(QUESTION, [roles.PLATFORM])
    return [fault for fault, is_so in zip(FAULTS, cursor.fetchone(), strict=True) if is_so]
