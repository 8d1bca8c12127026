"""Commands that work as the owner: migrations see every organisation's rows, and roles can be made again."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations import RunPython
from django.db.migrations.state import ProjectState

from accounts.models import Invitation
from tenants import scope
from tenants.postgresql.owner import owner_login
from tests.factories import make_invitation, make_organisation

pytestmark = pytest.mark.django_db


def test_a_data_migration_sees_the_rows_of_every_organisation():
    for _ in range(2):
        organisation = make_organisation()
        make_invitation(organisation, f"{organisation.slug}@example.com")
    seen = []

    with owner_login(), connection.schema_editor(atomic=False) as editor:
        migration = RunPython(lambda apps, schema_editor: seen.append(Invitation.unscoped.count()))
        migration.database_forwards("accounts", editor, ProjectState(), ProjectState())

    assert seen == [2]


def test_the_scope_is_none_again_after_the_owner_has_worked():
    with owner_login():
        pass

    assert scope.current() is scope.NONE


def test_making_the_roles_again_changes_nothing():
    output = io.StringIO()

    with scope.login():
        call_command("database_roles", stdout=output)

    assert output.getvalue().count("IF NOT EXISTS") == 4


def test_without_the_owners_address_a_migration_says_what_to_set(settings, monkeypatch):
    settings.OWNER_DATABASE = None
    monkeypatch.setitem(connection.settings_dict, "LOGIN", "web")

    with pytest.raises(CommandError, match="Set DATABASE_OWNER_URL"), owner_login():
        pass


def test_the_two_logins_must_differ(monkeypatch):
    from tenants.management.commands.database_roles import Command

    with pytest.raises(CommandError, match="two logins"):
        Command()._make(connection.settings_dict["USER"], "x")
