"""All that a database consists of besides rows, as text that can be compared."""

from tests.migrations.databases import Database

OURS = "n.nspname = 'public' AND c.relname NOT LIKE 'django_migrations%'"
RELATIONS = "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
PARTS = {
    "table": f"""
        SELECT concat_ws(' ', c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity)
        FROM {RELATIONS} WHERE {OURS} AND c.relkind IN ('r', 'p', 'v', 'm', 'S')""",
    "column": f"""
        SELECT concat_ws(' ', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                         a.attidentity, pg_get_expr(d.adbin, d.adrelid))
        FROM {RELATIONS} JOIN pg_attribute a ON a.attrelid = c.oid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE {OURS} AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraint": f"""
        SELECT concat_ws(' ', c.relname, o.conname, pg_get_constraintdef(o.oid), o.convalidated)
        FROM pg_constraint o JOIN {RELATIONS} ON c.oid = o.conrelid WHERE {OURS}""",
    "index": f"""
        SELECT concat_ws(' ', pg_get_indexdef(i.indexrelid), i.indisvalid)
        FROM pg_index i JOIN {RELATIONS} ON c.oid = i.indrelid WHERE {OURS}""",
    "policy": """
        SELECT concat_ws(' ', tablename, policyname, permissive, roles, cmd, qual, with_check)
        FROM pg_policies WHERE schemaname = 'public'""",
    "trigger": f"""
        SELECT concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
        FROM pg_trigger t JOIN {RELATIONS} ON c.oid = t.tgrelid WHERE {OURS} AND NOT t.tgisinternal""",
    "function": """
        SELECT concat_ws(' ', pg_get_functiondef(p.oid), p.proacl)
        FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace""",
    "grant": f"""
        SELECT concat_ws(' ', c.relname, r.rolname, p.privilege_type, p.is_grantable)
        FROM {RELATIONS}, aclexplode(c.relacl) p LEFT JOIN pg_roles r ON r.oid = p.grantee WHERE {OURS}""",
    "grant on column": f"""
        SELECT concat_ws(' ', c.relname, a.attname, r.rolname, p.privilege_type)
        FROM {RELATIONS} JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) p
        LEFT JOIN pg_roles r ON r.oid = p.grantee WHERE {OURS}""",
}


def described(database: Database) -> list[str]:
    """One line for each part, sorted."""
    with database.session() as session:
        return sorted(
            f"{part}: {' '.join(line.split())}"
            for part, query in PARTS.items()
            for (line,) in session.execute(query).fetchall()  # type: ignore[call-overload]
        )
