"""Which code may work across organisations? Every door into the platform scope is listed here."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("marketedge", "modules", "accounts", "tenants")
PLATFORM_DOORS = {
    "accounts/middleware.py": "the admin site, for staff",
    "accounts/provisioning.py": "sign-in accepts invitations before an organisation is chosen",
    "tenants/management/commands/check_tenancy.py": "looks at the rows of every organisation, changing none",
    "tenants/operations.py": "ops commands work across organisations, for who holds the environment",
    "modules/flag_operations/looking.py": "reads flags, and explains them for any person in any organisation",
    "modules/management/commands/explain_access.py": "reads for any person in any organisation",
    "modules/management/commands/whois.py": "reads what a person is everywhere",
}
LOGIN_DOORS = {"tenants/postgresql/owner.py": "migrations and roles, as the owner"}


def places_that_enter(state: str) -> set[str]:
    found = set()
    for floor in FLOORS:
        for path in (ROOT / floor).rglob("*.py"):
            tree = ast.parse(path.read_text())
            if any(_enters(node, state) for node in ast.walk(tree)):
                found.add(str(path.relative_to(ROOT)))
    return found


def _enters(node: ast.AST, state: str) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == state
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "scope"
    )


def test_only_the_listed_places_enter_the_platform_scope():
    assert places_that_enter("platform") == set(PLATFORM_DOORS)


def test_only_the_owner_works_without_a_role():
    assert places_that_enter("login") == set(LOGIN_DOORS)


def test_nobody_imports_the_doors_past_their_names():
    for floor in FLOORS:
        for path in (ROOT / floor).rglob("*.py"):
            imported = [
                alias.name
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.ImportFrom) and node.module == "tenants.scope"
                for alias in node.names
            ]
            assert not {"platform", "login", "_entered", "_current"} & set(imported), path
