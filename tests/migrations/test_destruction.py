"""No migration takes anything from the release before, unless it is on the list with the reason."""

import pytest
from django.apps import apps
from django.contrib.postgres import operations as postgresql
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState

from tenants.row_security import Audited
from tests.migrations.destruction import ALLOWED, Found, in_migration
from tests.test_habits import FLOORS


def found_in_ours() -> list[Found]:
    graph = MigrationLoader(None, ignore_no_migrations=True).graph
    state, seen, found = ProjectState(), set(), []
    for leaf in sorted(graph.leaf_nodes()):
        for node in graph.forwards_plan(leaf):
            if node not in seen:
                seen.add(node)
                found += list(in_migration(graph.nodes[node], state))
    return [one for one in found if apps.get_app_config(one.application).name.split(".")[0] in FLOORS]


def test_no_migration_takes_anything_away_unless_it_is_listed_with_its_reason():
    assert [one for one in found_in_ours() if one.key not in ALLOWED] == []


def test_the_list_has_no_line_for_what_is_not_there():
    assert set(ALLOWED) - {one.key for one in found_in_ours()} == set()


def state() -> ProjectState:
    """Shops with goods, as the release before knows them."""
    made = ProjectState()
    made.add_model(ModelState("shop", "Shop", [("id", models.BigAutoField(primary_key=True))]))
    fields = [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=50)),
        ("note", models.CharField(max_length=50, null=True)),
        ("count", models.IntegerField()),
        ("shop", models.ForeignKey("shop.Shop", models.CASCADE)),
    ]
    constraints = [models.CheckConstraint(condition=models.Q(count__gte=0), name="count_is_known")]
    indexes = [models.Index(fields=["name"], name="by_name")]
    options = {"constraints": constraints, "indexes": indexes}
    made.add_model(ModelState("shop", "Good", fields, options=options))
    return made


def reasons(*operations, initial: bool = False) -> list[str]:
    migration = migrations.Migration("0002_next", "shop")
    migration.operations, migration.initial = list(operations), initial
    return [f"{one.operation}: {one.reason}" for one in in_migration(migration, state())]


def no_change(apps, schema_editor) -> None:
    """A data migration."""


CHECK = models.CheckConstraint(condition=models.Q(count__lte=9), name="count_is_small")
UNIQUE = models.UniqueConstraint(fields=["name"], name="name_is_unique")
INDEX = models.Index(fields=["count"], name="by_count")
DESTRUCTIVE = [
    (migrations.RemoveField("good", "note"), "RemoveField good.note: takes a column"),
    (migrations.DeleteModel("Good"), "DeleteModel good: takes a table"),
    (migrations.RenameField("good", "note", "remark"), "RenameField good.note: takes the column's name"),
    (migrations.RenameModel("Good", "Ware"), "RenameModel good: takes the table's name"),
    (migrations.AlterModelTable("Good", "wares"), "AlterModelTable good: takes the table's name"),
    (migrations.RemoveConstraint("good", "count_is_known"), "RemoveConstraint good.count_is_known: lets in"),
    (migrations.AlterUniqueTogether("good", {("name", "count")}), "AlterUniqueTogether good: adds or removes"),
    (migrations.AlterOrderWithRespectTo("good", "shop"), "AlterOrderWithRespectTo good: adds a column"),
    (migrations.AlterField("good", "note", models.CharField(max_length=50)), "AlterField good.note: is required"),
    (
        migrations.AlterField("good", "note", models.CharField(max_length=50, default="x")),
        "AlterField good.note: is required",
    ),
    (migrations.AlterField("good", "name", models.CharField(max_length=49)), "AlterField good.name: changes its type"),
    (migrations.AlterField("good", "name", models.IntegerField()), "AlterField good.name: changes its type"),
    (migrations.AlterField("good", "count", models.BigIntegerField()), "AlterField good.count: changes its type"),
    (migrations.AlterField("good", "shop", models.IntegerField()), "AlterField good.shop: changes its type"),
    (
        migrations.AlterField("good", "name", models.CharField(max_length=50, unique=True)),
        "AlterField good.name: is unique",
    ),
    (
        migrations.AlterField("good", "name", models.CharField(max_length=50, db_column="title")),
        "AlterField good.name: takes the column's name",
    ),
    (migrations.AddField("good", "colour", models.TextField(default="")), "AddField good.colour: is required without"),
    (
        migrations.AddField("good", "code", models.UUIDField(null=True, unique=True)),
        "AddField good.code: is unique: the release before",
    ),
    (migrations.AddIndex("good", INDEX), "AddIndex good.by_count: stops writing"),
    (migrations.AddConstraint("good", CHECK), "AddConstraint good.count_is_small: refuses what"),
    (migrations.AddConstraint("good", UNIQUE), "AddConstraint good.name_is_unique: refuses what"),
    (migrations.RunSQL("UPDATE x SET y = 1"), "RunSQL: cannot be taken back"),
    (migrations.RunPython(no_change), "RunPython: cannot be taken back"),
    (migrations.RunSQL("DROP TABLE x", ""), "RunSQL: says DROP"),
    (migrations.RunSQL("truncate x", ""), "RunSQL: says TRUNCATE"),
    (migrations.RunSQL("DELETE  FROM x", ""), "RunSQL: says DELETE FROM"),
    (migrations.RunSQL("ALTER TABLE x RENAME TO y", ""), "RunSQL: says RENAME"),
    (migrations.RunSQL("ALTER TABLE x ALTER y SET NOT NULL", ""), "RunSQL: says SET NOT NULL"),
    (migrations.RunSQL("ALTER TABLE x ALTER COLUMN y TYPE int", ""), "RunSQL: says ALTER COLUMN Y TYPE"),
    (migrations.RunSQL("ALTER TABLE x ALTER y SET DATA TYPE int", ""), "RunSQL: says ALTER Y SET DATA TYPE"),
    (migrations.RunSQL("ALTER TABLE x DISABLE ROW LEVEL SECURITY", ""), "RunSQL: says DISABLE"),
    (migrations.RunSQL("REVOKE SELECT ON x FROM y", ""), "RunSQL: says REVOKE"),
    (migrations.RunSQL(["SELECT 1", ("DROP TABLE x", None)], ""), "RunSQL: says DROP"),
    (
        migrations.SeparateDatabaseAndState([migrations.RunSQL("DROP TABLE x", "")], []),
        "RunSQL: says DROP",
    ),
    (postgresql.HStoreExtension(), "HStoreExtension hstore: is of a kind that nobody has judged"),
]


@pytest.mark.parametrize(("operation", "words"), DESTRUCTIVE, ids=[words for _, words in DESTRUCTIVE])
def test_what_takes_something_away_is_found(operation, words):
    (found,) = reasons(operation)

    assert found.startswith(words)


ADDITIVE = [
    migrations.CreateModel("Till", [("id", models.BigAutoField(primary_key=True))]),
    migrations.AddField("good", "colour", models.TextField(null=True)),
    migrations.AddField("good", "colour", models.TextField(db_default="")),
    migrations.AddField("good", "shops", models.ManyToManyField("shop.Shop", related_name="+")),
    migrations.AlterField("good", "name", models.CharField("title", max_length=50)),
    migrations.AlterField("good", "name", models.CharField(max_length=60)),
    migrations.AlterField("good", "name", models.TextField()),
    migrations.AlterField("good", "name", models.CharField(max_length=50, null=True)),
    migrations.AlterField("good", "shop", models.ForeignKey("shop.Shop", models.PROTECT)),
    migrations.AlterModelOptions("good", {"verbose_name": "ware"}),
    migrations.AddConstraint("good", Audited(name="good_is_audited")),
    migrations.RemoveIndex("good", "by_name"),
    migrations.RenameIndex("good", "by_title", old_name="by_name"),
    postgresql.AddIndexConcurrently("good", INDEX),
    postgresql.AddConstraintNotValid("good", CHECK),
    migrations.RunSQL("UPDATE x SET y = 1 -- DROP is not said\n/* nor TRUNCATE */", ""),
    migrations.RunPython(no_change, migrations.RunPython.noop),
]


@pytest.mark.parametrize("operation", ADDITIVE, ids=[operation.describe() for operation in ADDITIVE])
def test_what_only_adds_is_not(operation):
    assert reasons(operation) == []


def test_a_table_that_is_new_itself_may_get_anything():
    table = migrations.CreateModel("Till", [("id", models.BigAutoField(primary_key=True))])
    code = models.IntegerField(default=0)

    assert reasons(table, migrations.AddField("till", "code", code), migrations.AddIndex("till", INDEX)) == []
    assert reasons(migrations.AddField("good", "code", code), initial=True) == []


def test_a_first_migration_may_not_destroy_either():
    (found,) = reasons(migrations.RemoveField("good", "note"), initial=True)

    assert found.startswith("RemoveField good.note")
