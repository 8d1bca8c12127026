"""Guards that hold organisations apart and modules closed."""

from tests.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "scope filter of the manager",
        "tenants/models.py",
        "return self.filter(organisation_id=current.organisation_id)",
        "return self",
        "tests/tenants/test_scope.py",
    ),
    Mutant(
        "no scope raises",
        "tenants/models.py",
        "if current.kind is scope.Kind.NONE:",
        "if False:",
        "tests/tenants/test_scope.py",
    ),
    Mutant(
        "row security",
        "tenants/row_security.py",
        'own = f"organisation_id = {ORGANISATION}"',
        'own = "true"',
        "tests/tenants/test_scope.py",
    ),
    Mutant(
        "forgetting the scope after a rollback",
        "tenants/postgresql/base.py",
        'FORGETS = ("ROLLBACK", ',
        'FORGETS = ("NOTHING", ',
        "tests/tenants/test_scope.py",
    ),
    Mutant(
        "composite keys",
        "tenants/row_security.py",
        'REFERENCES "{target}" (organisation_id, id)',
        'REFERENCES "{target}" (organisation_id, id) NOT ENFORCED',
        "tests/tenants/test_keys.py",
    ),
    Mutant(
        "refusal of a privileged web login",
        "tenants/postgresql/base.py",
        'if self.settings_dict.get("LOGIN") != "web":',
        "if True:",
        "tests/tenants/test_database_login.py",
    ),
    Mutant(
        "read-only tables of the web role",
        "tenants/ownership.py",
        'app="SELECT, UPDATE (last_login)"',
        "app=WRITE",
        "tests/tenants/test_database_login.py",
    ),
    Mutant(
        "membership",
        "tenants/seats.py",
        "if not (person.is_superuser and person.is_active):",
        "if False:",
        "tests/marketedge/test_routes.py",
    ),
    Mutant(
        "module gate",
        "modules/middleware.py",
        "return None if decision.is_open else closed(request, decision)",
        "return None",
        "tests/modules/test_gate.py",
    ),
    Mutant(
        "confirmation hash",
        "modules/market_edge_core/actions.py",
        "if hashlib.sha256(content).hexdigest() != sha256:",
        "if False:",
        "tests/modules/market_edge_core/test_actions.py",
    ),
    Mutant(
        "role asked for by a view",
        "tenants/decorators.py",
        "if request.seat.role.covers(role):",
        "if True:",
        "tests/modules/market_edge_core",
    ),
    Mutant(
        "suspension",
        "tenants/middleware.py",
        "if seat.organisation.is_suspended:",
        "if False:",
        "tests/modules/test_pages.py",
    ),
    Mutant(
        "a migration that fails at its end is over",
        "tenants/postgresql/base.py",
        "                super().__exit__(type(late), late, late.__traceback__)\n",
        "",
        "tests/migrations/test_migrate_safely.py",
    ),
)
