"""Is row security on and forced for every tenant-owned table, with exactly the policies that the code declares?"""

from typing import Any

from tenants import ownership
from tenants.operations import Report
from tenants.row_security import OWNER, Policy, RowSecurity
from tenants.tenancy.expressions import is_same

MEND = "No migration does this: find out who changed it, then mend it as the owner."

STATES = """
SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, pg_get_userbyid(c.relowner)
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%s)
"""
POLICIES = """
SELECT tablename, policyname, permissive = 'PERMISSIVE', roles::text[], cmd,
       coalesce(qual, ''), coalesce(with_check, '')
FROM pg_policies WHERE schemaname = 'public'
"""


def examine(cursor: Any) -> Report:
    """Ask as any login: the catalogue is readable by all."""
    report, declared = Report(), _declared()
    cursor.execute(STATES, [list(declared)])
    states = {row[0]: row[1:] for row in cursor.fetchall()}
    found = _policies_by_table(cursor)
    for table, policies in sorted(declared.items()):
        if table not in states:
            report.problem("row security", f"{table} does not exist", "`check_schema` says which migration is missing.")
            continue
        is_on, is_forced, owner = states[table]
        for says in _problems(policies, is_on, is_forced, owner, found.get(table, {})):
            report.problem("row security", f"{table}: {says}", MEND)
    if not report.findings:
        report.ok("row security", f"on, forced and with its own policies for {len(declared)} tables")
    return report


def _declared() -> dict[str, tuple[Policy, ...]]:
    return {
        model._meta.db_table: rule.policies()
        for model in ownership.tenant_models()
        for rule in model._meta.constraints
        if isinstance(rule, RowSecurity)
    }


def _policies_by_table(cursor: Any) -> dict[str, dict[str, tuple[Any, ...]]]:
    cursor.execute(POLICIES)
    found: dict[str, dict[str, tuple[Any, ...]]] = {}
    for table, name, *details in cursor.fetchall():
        found.setdefault(table, {})[name] = tuple(details)
    return found


def _problems(
    policies: tuple[Policy, ...], is_on: bool, is_forced: bool, owner: str, found: dict[str, tuple[Any, ...]]
) -> list[str]:
    states = [(is_on, "row security is off"), (is_forced, "row security is not forced upon the owner")]
    wrong = [says for is_so, says in states if not is_so]
    for policy in policies:
        if policy.name not in found:
            wrong.append(f"the policy {policy.name} is missing")
        elif difference := _difference(policy, owner, *found[policy.name]):
            wrong.append(f"the policy {policy.name} {difference}")
    extra = sorted(found.keys() - {policy.name for policy in policies})
    return wrong + [f"the policy {name} is nobody's" for name in extra]


def _difference(
    policy: Policy, owner: str, is_permissive: bool, to: list[str], command: str, using: str, check: str
) -> str:
    if not is_permissive:
        return "is restrictive"
    if set(to) != {owner if role == OWNER else role for role in policy.to.split(", ")}:
        return f"is for {', '.join(sorted(to))}"
    if command != policy.command:
        return f"is for {command}, expected {policy.command}"
    if not is_same(policy.using, using):
        return f"shows other rows: USING {using or 'is missing'}"
    if not is_same(policy.check, check):
        return f"accepts other rows: WITH CHECK {check or 'is missing'}"
    return ""
