"""Row security, same-organisation keys and audit triggers, declared in `Meta.constraints` for the migrations."""

from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, models

from tenants.postgresql import roles

ORGANISATION = "current_setting('marketedge.organisation')::bigint"
PERSON = "current_setting('marketedge.person')::bigint"
OWNER = "CURRENT_USER"


class DatabaseRule(models.BaseConstraint):
    """A rule that only PostgreSQL can hold: it is written after the table, and has nothing to validate in Python."""

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        raise NotImplementedError("A rule says how it is created.")

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        raise NotImplementedError("A rule says how it is removed.")

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: str = DEFAULT_DB_ALIAS) -> None:
        return

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatabaseRule) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash((type(self), self.name))


@dataclass(frozen=True)
class Policy:
    """`to` names roles, with commas between them; CURRENT_USER is the owner who writes the policy."""

    name: str
    to: str
    command: str = "ALL"
    using: str = ""
    check: str = ""

    def create_sql(self, table: str) -> str:
        clauses = (f" USING ({self.using})" if self.using else "") + (
            f" WITH CHECK ({self.check})" if self.check else ""
        )
        return f'CREATE POLICY "{self.name}" ON "{table}" FOR {self.command} TO {self.to}{clauses};'


class RowSecurity(DatabaseRule):
    """The organisation's rows for the web role in its scope; all rows for the platform role and the owner."""

    def policies(self) -> tuple[Policy, ...]:
        own = f"organisation_id = {ORGANISATION}"
        return (
            Policy("organisation", to=roles.APP, using=own, check=own),
            Policy("platform", to=roles.PLATFORM, using="true", check="true"),
            Policy("owner", to=OWNER, using="true", check="true"),
        )

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        table = model._meta.db_table
        enabled = f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY; ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY;'
        return enabled + "".join(policy.create_sql(table) for policy in self.policies())

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        table = model._meta.db_table
        dropped = "".join(f'DROP POLICY "{policy.name}" ON "{table}";' for policy in self.policies())
        return f'{dropped} ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;'


class PersonalRowSecurity(RowSecurity):
    """As RowSecurity; and a person may read their own rows before an organisation is chosen (memberships alone)."""

    def policies(self) -> tuple[Policy, ...]:
        own = Policy("person", to=roles.PERSON, command="SELECT", using=f"user_id = {PERSON}")
        return (*super().policies(), own)


class AppendOnlyRowSecurity(RowSecurity):
    """As RowSecurity, without changing or deleting; rows of no organisation may be added but not read (the audit)."""

    def policies(self) -> tuple[Policy, ...]:
        of_nobody = "organisation_id IS NULL"
        of_scope = "organisation_id = nullif(current_setting('marketedge.organisation', true), '')::bigint"
        may_add = f"{of_nobody} OR {of_scope}"
        may_read = f"organisation_id = {ORGANISATION}"
        return (
            Policy("read", to=roles.APP, command="SELECT", using=may_read),
            Policy("add", to=f"{roles.APP}, {roles.PERSON}", command="INSERT", check=may_add),
            Policy("platform_read", to=roles.PLATFORM, command="SELECT", using="true"),
            Policy("platform_add", to=roles.PLATFORM, command="INSERT", check="true"),
            Policy("owner", to=OWNER, using="true", check="true"),
        )


class SameOrganisation(DatabaseRule):
    """The foreign key `field` leads to a row of the same organisation: a composite key, with its index.

    PostgreSQL checks keys past row security, so a plain one could reference another organisation's row.
    """

    def __init__(self, *, field: str, name: str) -> None:
        super().__init__(name=name)
        self.field = field

    def deconstruct(self) -> Any:
        path, arguments, options = super().deconstruct()
        return path, arguments, {**options, "field": self.field}

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        table, field = model._meta.db_table, model._meta.get_field(self.field)
        target = field.remote_field.model._meta.db_table
        return (
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{self.name}" FOREIGN KEY (organisation_id, "{field.column}")'
            f' REFERENCES "{target}" (organisation_id, id) DEFERRABLE INITIALLY DEFERRED;'
            f' CREATE INDEX "{self.name}_idx" ON "{table}" (organisation_id, "{field.column}");'
        )

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        return f'ALTER TABLE "{model._meta.db_table}" DROP CONSTRAINT "{self.name}"; DROP INDEX "{self.name}_idx";'


class NoOverlap(DatabaseRule):
    """Periods [starts_at, ends_at) of rows that agree in `columns` (bigint ids) do not overlap; needs no extension."""

    def __init__(self, *, columns: tuple[str, ...], name: str) -> None:
        super().__init__(name=name)
        self.columns = tuple(columns)

    def deconstruct(self) -> Any:
        path, arguments, options = super().deconstruct()
        return path, arguments, {**options, "columns": self.columns}

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        same = "".join(f"int8range({column}, {column}, '[]') WITH &&, " for column in self.columns)
        return (
            f'ALTER TABLE "{model._meta.db_table}" ADD CONSTRAINT "{self.name}"'
            f" EXCLUDE USING gist ({same}tstzrange(starts_at, ends_at) WITH &&);"
        )

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        return f'ALTER TABLE "{model._meta.db_table}" DROP CONSTRAINT "{self.name}";'


class Audited(DatabaseRule):
    """Each inserted, changed or deleted row is written to the audit, bulk and raw statements included.

    `ignored` names columns whose change alone is not worth a line.
    """

    def __init__(self, *, name: str, ignored: tuple[str, ...] = ()) -> None:
        super().__init__(name=name)
        self.ignored = tuple(ignored)

    def deconstruct(self) -> Any:
        path, arguments, options = super().deconstruct()
        return path, arguments, {**options, "ignored": self.ignored}

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        ignored = ", ".join(f"'{column}'" for column in self.ignored)
        return (
            f'CREATE TRIGGER "{self.name}" AFTER INSERT OR UPDATE OR DELETE ON "{model._meta.db_table}"'
            f" FOR EACH ROW EXECUTE FUNCTION marketedge_audit_row({ignored});"
        )

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        return f'DROP TRIGGER "{self.name}" ON "{model._meta.db_table}";'
