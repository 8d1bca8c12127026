"""Finds what a migration would take from the release that still serves, or from the data: by kind, with the reason.

While a release is rolled out, the one before works on the new schema. So a migration only adds ("expand"); what nobody
uses any more is taken away a release later ("contract"), and stands on the list `ALLOWED`.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib.postgres import operations as postgresql
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState

from tenants.row_security import DatabaseRule

DESTRUCTIVE_SQL = re.compile(
    r"\b(DROP|TRUNCATE|DELETE\s+FROM|RENAME|SET\s+NOT\s+NULL|ALTER\s+(COLUMN\s+)?\S+\s+(SET\s+DATA\s+)?TYPE|DISABLE"
    r"|REVOKE)\b",
    re.IGNORECASE,
)
SQL_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)

# What takes something away whatever its details are.
ALWAYS = {
    migrations.RemoveField: "takes a column from the release before, and its data from everybody",
    migrations.DeleteModel: "takes a table from the release before, and its data from everybody",
    migrations.RenameField: "takes the column's name from the release before",
    migrations.RenameModel: "takes the table's name from the release before",
    migrations.AlterModelTable: "takes the table's name from the release before",
    migrations.RemoveConstraint: "lets in what the rule kept out, so that it may not go back",
    migrations.AlterUniqueTogether: "adds or removes a rule without saying which",
    migrations.AlterOrderWithRespectTo: "adds a column that the release before does not write",
}
# Neither tables nor data; removing an index loses no data and needs the table for a moment, as any change does.
HARMLESS = (
    migrations.CreateModel,
    migrations.AlterModelOptions,
    migrations.AlterModelManagers,
    migrations.AlterModelTableComment,
    migrations.AlterConstraint,
    migrations.RenameIndex,
    migrations.RemoveIndex,
    postgresql.AddIndexConcurrently,
    postgresql.RemoveIndexConcurrently,
    postgresql.AddConstraintNotValid,
    postgresql.ValidateConstraint,
)

# (application, migration, operation): why it may be there all the same.
ALLOWED = {
    ("tenants", "0001_initial", "RunSQL"): "REVOKE: nobody but triggers may call the function that is made there",
    ("flags", "0002_releases", "AddConstraint flag.flag_kind_is_known"): "the release before leaves it at its default",
    ("flags", "0002_releases", "AddConstraint flag.flag_type_is_known"): "the release before leaves it at its default",
    ("flags", "0002_releases", "AddConstraint flag.flag_has_a_salt"): "the release before writes the key there",
    (
        "flags",
        "0002_releases",
        "AddConstraint flagoverride.flag_override_chooses_a_variant_when_on",
    ): "the release before leaves the variant empty, and tables of flags are small",
}


class Found(NamedTuple):
    """`operation` is the kind and what it is about: "RemoveField organisation.plan"."""

    application: str
    migration: str
    operation: str
    reason: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.application, self.migration, self.operation


def in_migration(migration: migrations.Migration, state: ProjectState) -> Iterator[Found]:
    """What it would destroy; `state` is the one before it, and is brought to the one after it."""
    made: set[str] = set()  # tables that did not exist before, and so nobody uses or waits for
    for operation in migration.operations:
        for name, reason in _of(operation, migration, state, made):
            yield Found(migration.app_label, migration.name, name, reason)
        if isinstance(operation, migrations.CreateModel):
            made.add(operation.name_lower)
        operation.state_forwards(migration.app_label, state)


def _of(operation: Any, migration: migrations.Migration, state: ProjectState, made: set[str]) -> Iterator[Any]:
    kind, name = type(operation), _name(operation)
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        for inner in operation.database_operations:
            yield from _of(inner, migration, state, made)
    elif isinstance(operation, (migrations.RunSQL, migrations.RunPython)):
        yield from ((name, reason) for reason in _of_own(operation))
    elif kind in ALWAYS:
        yield name, ALWAYS[kind]
    elif kind in (migrations.AddField, migrations.AlterField, migrations.AddIndex, migrations.AddConstraint):
        is_new = operation.model_name_lower in made or migration.initial
        yield from ((name, reason) for reason in _of_table(operation, migration.app_label, state, is_new))
    elif not isinstance(operation, HARMLESS):
        yield name, "is of a kind that nobody has judged yet"


def _name(operation: Any) -> str:
    model = getattr(operation, "model_name", None)
    part = getattr(operation, "index", None) or getattr(operation, "constraint", None) or operation
    what = getattr(part, "name", None) or getattr(operation, "old_name", None)
    return " ".join([type(operation).__name__, ".".join(text.lower() for text in (model, what) if text)]).strip()


def _of_own(operation: Any) -> Iterator[str]:
    """Of SQL and Python written by hand."""
    if not operation.reversible:
        yield "cannot be taken back"
    if isinstance(operation, migrations.RunSQL):
        for found in DESTRUCTIVE_SQL.finditer(SQL_COMMENT.sub("", _text(operation.sql))):
            yield f"says {' '.join(found[0].upper().split())}"


def _text(sql: Any) -> str:
    """RunSQL takes one text, or a list of texts and of pairs with parameters."""
    if isinstance(sql, str):
        return sql
    return "\n".join(part if isinstance(part, str) else part[0] for part in sql)


def _of_table(operation: Any, application: str, state: ProjectState, is_new: bool) -> Iterator[str]:
    """Of changes to a table that may have rows, readers and writers."""
    if isinstance(operation, migrations.AlterField):
        fields = state.models[application, operation.model_name_lower].fields
        yield from _of_change(fields[operation.name], operation.field)
    elif is_new:
        return
    elif isinstance(operation, migrations.AddField):
        if not operation.field.null and not operation.field.has_db_default() and not operation.field.many_to_many:
            yield "is required without db_default, so the release before cannot add rows"
        if operation.field.unique:
            yield "is unique: the release before writes the same default into every row"
    elif isinstance(operation, migrations.AddIndex):
        yield "stops writing while it is built: use AddIndexConcurrently, or say that the table is small"
    elif not isinstance(operation.constraint, DatabaseRule):
        yield "refuses what the release before may write, and reads all rows under a lock: use AddConstraintNotValid"


def _of_change(old: models.Field, new: models.Field) -> Iterator[str]:
    if old.null and not new.null:
        yield "is required from now on, which the release before does not know"
    if new.unique and not old.unique:
        yield "is unique from now on, which the release before does not know"
    if old.db_column != new.db_column:
        yield "takes the column's name from the release before"
    if not _holds_the_same(old, new):
        yield "changes its type so that the data may not fit, or are all written anew"


def _holds_the_same(old: models.Field, new: models.Field) -> bool:
    if old.is_relation or new.is_relation:
        return old.is_relation and new.is_relation and old.remote_field.model == new.remote_field.model
    before, after = old.db_type(connection), new.db_type(connection)
    if before == after:
        return True
    lengths = [_length(before), _length(after)]
    return lengths[0] is not None and (after == "text" or (lengths[1] or 0) > lengths[0])


def _length(type_of_column: str | None) -> int | None:
    found = re.fullmatch(r"varchar\((\d+)\)", type_of_column or "")
    return int(found[1]) if found else None
