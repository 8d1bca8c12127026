"""Guards of commands, migrations and their checks."""

from tests.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "strangers in the matrix of access",
        "marketedge/access_matrix.py",
        "for kind in {NOBODY, STRANGER} & set(row.open_to):",
        "for kind in ():",
        "tests/marketedge/test_access_matrix.py",
    ),
    Mutant(
        "a dry run is rolled back",
        "tenants/operations.py",
        """            if not apply:
                transaction.set_rollback(True)
""",
        "",
        "tests/accounts/test_role_commands.py",
    ),
    Mutant(
        "bootstrap leaves alone what is there",
        "modules/reference.py",
        "if spec.key in keys - known]",
        "if spec.key in keys]",
        "tests/modules/test_commands.py",
    ),
    Mutant(
        "exit code of what could not be reached",
        "tenants/operations.py",
        "Exit.UNKNOWN if State.UNKNOWN in states else Exit.OK",
        "Exit.OK",
        "tests/tenants/test_operations.py",
    ),
    Mutant(
        "dry run",
        "tenants/operations.py",
        "                transaction.set_rollback(True)\n",
        "                pass\n",
        "tests/tenants/test_operations.py",
    ),
    Mutant(
        "secrets in reports",
        "tenants/operations.py",
        "        return hide(value)\n",
        "        return value\n",
        "tests/tenants/test_operations.py",
    ),
    Mutant(
        "one caller at a time applies migrations",
        "tenants/migrating.py",
        'while not _one("SELECT pg_try_advisory_lock(%s)", LOCK):',
        "while False:",
        "tests/migrations/test_migrate_safely.py",
    ),
    Mutant(
        "destructive migrations are refused",
        "tests/migrations/destruction.py",
        "elif kind in ALWAYS:",
        "elif False:",
        "tests/migrations/test_destruction.py",
    ),
    Mutant(
        "privileges beyond the list are found",
        "tenants/privileges.py",
        "return listed - held, held - listed",
        "return listed - held, set()",
        "tests/migrations/test_check_schema.py",
    ),
    Mutant(
        "check of forced row security",
        "tenants/tenancy/policies.py",
        '(is_forced, "row security is not forced upon the owner")',
        '(True, "row security is not forced upon the owner")',
        "tests/tenants/tenancy/test_policies.py",
    ),
    Mutant(
        "check of what policies show",
        "tenants/tenancy/policies.py",
        "if not is_same(policy.using, using):",
        "if False:",
        "tests/tenants/tenancy/test_policies.py",
    ),
    Mutant(
        "check of privileges",
        "tenants/tenancy/grants.py",
        "in _told(surplus):",
        "in _told(set()):",
        "tests/tenants/tenancy/test_grants.py",
    ),
    Mutant(
        "check of the neighbour's rows",
        "tenants/tenancy/rows.py",
        "    if key.is_within_organisation:\n        found",
        "    if False:\n        found",
        "tests/tenants/tenancy/test_rows.py",
    ),
    Mutant(
        "list of who may call what",
        "marketedge/routes.py",
        "if len(audiences) != 1:",
        "if False:",
        "tests/marketedge/test_check_access.py",
    ),
    Mutant(
        "list of what is open to anybody",
        "marketedge/routes.py",
        "if is_open and Audience.ANYBODY not in audiences:",
        "if False:",
        "tests/marketedge/test_check_access.py",
    ),
    Mutant(
        "check of the admin site's pages",
        "marketedge/routes.py",
        "and not _is_wrapped(route.view):",
        "and False:",
        "tests/marketedge/test_check_access.py",
    ),
)
