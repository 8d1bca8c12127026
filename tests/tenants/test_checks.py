"""Every table is tenant-owned or on the list; the check finds the one that is neither."""

import pytest
from django.db import models
from django.test.utils import isolate_apps

from tenants import checks, ownership
from tenants.models import Membership, Organisation, TenantOwned
from tenants.row_security import Audited


def test_every_model_of_the_product_has_an_owner():
    assert checks.every_table_has_an_owner() == []


def test_every_listed_model_exists():
    known = {ownership.label(model) for model in ownership.all_models()}

    assert set(ownership.GLOBAL_TABLES) | set(checks.NOT_AUDITED) <= known


def test_every_reason_is_given():
    assert [name for name, table in ownership.GLOBAL_TABLES.items() if not table.reason] == []


@isolate_apps("tenants")
def test_a_forgotten_table_is_found():
    class Forgotten(models.Model):
        class Meta:
            app_label = "tenants"
            constraints = [Audited(name="forgotten_is_audited")]

        def __str__(self) -> str:
            return "forgotten"

    assert [problem.id for problem in checks._ownership_problems(Forgotten)] == ["tenants.E001"]


@isolate_apps("tenants")
def test_a_tenant_table_that_drops_the_constraints_of_its_base_is_found():
    class Careless(TenantOwned):
        class Meta:
            app_label = "tenants"
            constraints = [Audited(name="careless_is_audited")]

    assert [problem.id for problem in checks._ownership_problems(Careless)] == ["tenants.E001"]


@isolate_apps("tenants")
def test_a_plain_key_between_tenant_tables_is_found():
    class Plain(TenantOwned):
        membership = models.ForeignKey(Membership, on_delete=models.CASCADE)

        class Meta(TenantOwned.Meta):
            app_label = "tenants"

    assert [problem.id for problem in checks._key_problems(Plain)] == ["tenants.E002"]


@isolate_apps("tenants")
def test_a_table_that_nobody_decided_to_audit_is_found():
    class Silent(TenantOwned):
        class Meta(TenantOwned.Meta):
            app_label = "tenants"

    assert [problem.id for problem in checks._audit_problems(Silent)] == ["tenants.E003"]


@pytest.mark.django_db
def test_row_security_is_forced_on_every_tenant_table():
    from django.db import connection

    from tenants import scope

    names = [model._meta.db_table for model in ownership.tenant_models()]
    with scope.login(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relrowsecurity AND relforcerowsecurity", [names]
        )
        forced = {row[0] for row in cursor.fetchall()}

    assert forced == set(names)


def test_organisations_are_global():
    assert ownership.is_global(Organisation)
