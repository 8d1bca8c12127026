"""Does the database have the tables, columns and rules that the models declare? Only the catalogue is asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import connection, models

from tenants import ownership
from tenants.row_security import Audited, NoOverlap, RowSecurity, SameOrganisation

COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> ''
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
"""
# A row of every kind (1), after (0) insert (4), delete (8) and update (16).
ON_EVERY_CHANGE = 29
TRIGGERS = """
SELECT c.relname, t.tgname, t.tgenabled IN ('O', 'A') AND t.tgtype = %s AND p.proname = 'marketedge_audit_row',
       encode(t.tgargs, 'escape')
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_proc p ON p.oid = t.tgfoid
WHERE n.nspname = 'public' AND NOT t.tgisinternal
"""
INVALID_INDEXES = """
SELECT c.relname, i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND NOT (i.indisvalid AND i.indisready) ORDER BY 1, 2
"""
UNVALIDATED = """
SELECT c.relname, o.conname FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND NOT o.convalidated ORDER BY 1, 2
"""
# Django's names for types, and PostgreSQL's.
SPELLINGS = (("varchar", "character varying"), ("serial", "integer"), (", ", ","))


@dataclass(frozen=True)
class Column:
    type: str
    is_required: bool
    has_default: bool


class Catalogue:
    """What the database has, read once."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self.columns: dict[str, dict[str, Column]] = {}
        for table, name, *column in self._rows(COLUMNS):
            self.columns.setdefault(table, {})[name] = Column(*column)

    @cached_property
    def triggers(self) -> dict[tuple[str, str], tuple[bool, str]]:
        """Whether it writes each change to the audit, and its arguments, by table and name."""
        return {(table, name): (works, words) for table, name, works, words in self._rows(TRIGGERS, ON_EVERY_CHANGE)}

    @cached_property
    def invalid_indexes(self) -> list[tuple[str, str]]:
        return self._rows(INVALID_INDEXES)

    @cached_property
    def unvalidated_constraints(self) -> list[tuple[str, str]]:
        return self._rows(UNVALIDATED)

    def rules(self, table: str) -> dict[str, Any]:
        """Keys, constraints and indexes by name, as Django's introspection tells them."""
        return connection.introspection.get_constraints(self._cursor, table)

    def _rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        self._cursor.execute(query, parameters)
        return self._cursor.fetchall()


def of_columns(catalogue: Catalogue) -> Iterator[str]:
    """Tables and columns that are missing or other than the models say."""
    for model in ownership.all_models():
        table = model._meta.db_table
        if table not in catalogue.columns:
            yield f"table {table} is missing"
            continue
        yield from _of_fields(model, catalogue.columns[table])


def _of_fields(model: type[models.Model], columns: dict[str, Column]) -> Iterator[str]:
    table = model._meta.db_table
    for field in model._meta.local_concrete_fields:
        column = columns.get(str(field.column))
        if column is None:
            yield f"column {table}.{field.column} is missing"
            continue
        expected = _spelled(field.db_parameters(connection)["type"])
        # The hidden tables of Django's own applications are migrated with our type of key, and modelled with theirs.
        if column.type != expected and not (field.primary_key and model._meta.auto_created):
            yield f"column {table}.{field.column} is {column.type}, expected {expected}"
        if column.is_required == field.null:
            yield f"column {table}.{field.column} {'may not' if field.null else 'may'} be empty, unlike the model"


def _spelled(type_of_field: str | None) -> str:
    spelled = type_of_field or ""
    for ours, theirs in SPELLINGS:
        spelled = spelled.replace(ours, theirs)
    return spelled


def unknown_columns(catalogue: Catalogue) -> Iterator[tuple[str, bool]]:
    """Columns that this release does not know, and whether it can write rows without them."""
    for model in ownership.all_models():
        table = model._meta.db_table
        known = {field.column for field in model._meta.local_concrete_fields}
        for name, column in sorted(catalogue.columns.get(table, {}).items()):
            if name not in known:
                yield f"{table}.{name}", not column.is_required or column.has_default


def of_rules(catalogue: Catalogue) -> Iterator[str]:
    """Keys, constraints and indexes that the models declare and the database has not."""
    for model in ownership.all_models():
        if model._meta.db_table in catalogue.columns:
            rules = catalogue.rules(model._meta.db_table)
            yield from _of_keys(model, list(rules.values()))
            yield from _of_named(model, rules)


def _of_keys(model: type[models.Model], rules: list[Any]) -> Iterator[str]:
    table = model._meta.db_table
    for field in model._meta.local_concrete_fields:
        same = [rule for rule in rules if rule["columns"] == [field.column]]
        if field.unique and not any(rule["unique"] or rule["primary_key"] for rule in same):
            yield f"{table}.{field.column} is not unique"
        if isinstance(field, models.ForeignKey) and getattr(field, "db_constraint", True):
            target = (field.target_field.model._meta.db_table, field.target_field.column)
            if not any(rule["foreign_key"] == target for rule in same):
                yield f"{table}.{field.column} is no key to {target[0]}"


def _of_named(model: type[models.Model], rules: dict[str, Any]) -> Iterator[str]:
    table = model._meta.db_table
    for constraint in model._meta.constraints:
        # Row security is for `check_tenancy` to look at, triggers are looked at below.
        if not isinstance(constraint, (RowSecurity, Audited)) and not _holds(constraint, model, rules):
            yield f"{constraint.name} is missing on {table}, or is another rule"
    for index in model._meta.indexes:
        if index.name not in rules:
            yield f"index {index.name} is missing on {table}"


def _holds(constraint: Any, model: type[models.Model], rules: dict[str, Any]) -> bool:
    rule = rules.get(constraint.name)
    if rule is None:
        return False
    if isinstance(constraint, SameOrganisation):
        columns = ["organisation_id", model._meta.get_field(constraint.field).column]  # type: ignore[union-attr]
        return rule["columns"] == columns and bool(rule["foreign_key"]) and f"{constraint.name}_idx" in rules
    if isinstance(constraint, models.CheckConstraint):
        return rule["check"]
    return rule["unique"] if isinstance(constraint, models.UniqueConstraint) else isinstance(constraint, NoOverlap)


def of_triggers(catalogue: Catalogue) -> Iterator[str]:
    """Triggers of the audit that are missing, switched off, or write less than the models say."""
    for model in ownership.all_models():
        for rule in model._meta.constraints:
            if isinstance(rule, Audited):
                works, words = catalogue.triggers.get((model._meta.db_table, rule.name), (False, ""))
                if not works or words != "".join(f"{column}\\000" for column in rule.ignored):
                    yield f"{rule.name} is missing on {model._meta.db_table}, switched off, or another trigger"
