"""Every command of ours explains itself, whatever is down."""

import pytest
from django.core.management import get_commands, load_command_class

OURS = sorted(
    (application, name)
    for name, application in get_commands().items()
    if application.split(".")[0] in {"tenants", "accounts", "modules", "marketedge"}
)


@pytest.mark.parametrize(("application", "name"), OURS)
def test_help_says_what_the_command_does_without_a_database(application, name):
    command = load_command_class(application, name)

    told = command.create_parser("manage.py", name).format_help()

    assert command.help
    assert " ".join(command.help.split())[:40] in " ".join(told.split())
