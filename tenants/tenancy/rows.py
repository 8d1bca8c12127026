"""Does any row lead nowhere, or to another organisation's row? Keys hold that; this looks whether they do, and did."""

from dataclasses import dataclass
from typing import Any

from django.db import models

from tenants import ownership
from tenants.models import TenantForeignKey
from tenants.operations import Report

UNKNOWN_TABLES = """
SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = 'public' AND c.column_name = 'organisation_id' AND t.table_type = 'BASE TABLE'
  AND c.table_name <> ALL(%s) ORDER BY 1
"""
# Not enforced (from PostgreSQL 18 on) is not validated either.
KEYS = """
SELECT child.relname, parent.relname,
       (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(f.conkey) WITH ORDINALITY k(attnum, n)
        JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum)
FROM pg_constraint f JOIN pg_class child ON child.oid = f.conrelid JOIN pg_class parent ON parent.oid = f.confrelid
WHERE f.contype = 'f' AND f.convalidated AND child.relnamespace = 'public'::regnamespace
"""


@dataclass(frozen=True)
class Key:
    """`child` holds in `column` the `target_column` of a row of `parent`."""

    child: str
    column: str
    parent: str
    target_column: str
    is_within_organisation: bool

    @property
    def columns(self) -> tuple[str, ...]:
        return ("organisation_id", self.column) if self.is_within_organisation else (self.column,)


def examine_keys(cursor: Any) -> Report:
    """Are the keys there that hold rows together? Any login may ask this."""
    report = Report()
    cursor.execute(KEYS)
    held = {(child, parent, tuple(columns)) for child, parent, columns in cursor.fetchall()}
    for key in all_keys():
        if (key.child, key.parent, key.columns) not in held:
            says = f"{key.child} ({', '.join(key.columns)}) is not held to {key.parent}"
            report.problem("keys", says, "The foreign key is missing or was never validated: see `check_schema`.")
    _examine_unknown_tables(report, cursor)
    if not report.findings:
        report.ok("keys", f"all {len(all_keys())} are there and validated")
    return report


def _examine_unknown_tables(report: Report, cursor: Any) -> None:
    known = [model._meta.db_table for model in ownership.all_models()] + list(ownership.LEAVING)
    cursor.execute(UNKNOWN_TABLES, [known])
    for (table,) in cursor.fetchall():
        says = f"{table} holds organisations' rows, and no model knows it"
        report.problem("tables", says, "Give it a model that is TenantOwned, or drop it.")


def examine_rows(cursor: Any) -> Report:
    """Count rows that lead astray. Asked by who sees every organisation's rows: the platform role or the owner."""
    report = Report()
    for key in all_keys():
        for says, condition in _faults(key):
            if count := _count(cursor, key, condition):
                rows = f"{count} row{'' if count == 1 else 's'}"
                report.problem("rows", f"{rows} of {key.child} {says} by {key.column}", "Mend the rows as the owner.")
    if not report.findings:
        report.ok("rows", f"none leads nowhere or to another organisation, by {len(all_keys())} keys")
    return report


def _faults(key: Key) -> list[tuple[str, str]]:
    found = [(f"lead to a row of {key.parent} that is gone", f'p."{key.target_column}" IS NULL')]
    if key.is_within_organisation:
        found.append((f"lead to another organisation's {key.parent}", "p.organisation_id <> c.organisation_id"))
    return found


def _count(cursor: Any, key: Key, condition: str) -> int:
    cursor.execute(
        f'SELECT count(*) FROM "{key.child}" c LEFT JOIN "{key.parent}" p ON p."{key.target_column}" = c."{key.column}"'  # noqa: S608 - names of our own models
        f' WHERE c."{key.column}" IS NOT NULL AND {condition}'
    )
    return cursor.fetchone()[0]


def shared_tables(cursor: Any) -> list[str]:
    """The tables that hold rows of more than one organisation, and so have something to leak."""
    found = []
    for model in ownership.tenant_models():
        cursor.execute(f'SELECT min(organisation_id) < max(organisation_id) FROM "{model._meta.db_table}"')  # noqa: S608
        found += [model._meta.db_table] if cursor.fetchone()[0] else []
    return found


def all_keys() -> list[Key]:
    """Every relation between two tables of ours."""
    return [
        Key(
            child=model._meta.db_table,
            column=field.column,
            parent=field.remote_field.model._meta.db_table,
            target_column=str(field.target_field.column),
            is_within_organisation=isinstance(field, TenantForeignKey),
        )
        for model in ownership.all_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
    ]
