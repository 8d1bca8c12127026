"""The database is not touched while the product loads."""

import pytest
from django.db import connection

from tenants.postgresql import base, startup


@pytest.fixture
def wrapper(db: None) -> base.DatabaseWrapper:
    return base.DatabaseWrapper({**connection.settings_dict, "PORT": 1})


def test_a_connection_while_loading_is_refused(wrapper):
    with startup.no_database(), pytest.raises(startup.DatabaseTouchedAtStartup):
        wrapper.get_new_connection({})


def test_afterwards_connections_are_tried(wrapper):
    with startup.no_database():
        pass

    with pytest.raises(base.OperationalError, match="connection"):
        wrapper.ensure_connection()
