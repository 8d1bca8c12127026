"""Connects to the test database as the web's login, past Django."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

from marketedge.environment import parse_database


@contextmanager
def web_session(role: str = "", organisation: Any = None) -> Iterator[psycopg.Connection]:
    """A session of the web's login with a role and an organisation, as the backend would set them."""
    web, target = parse_database(os.environ["DATABASE_URL"]), connection.settings_dict
    with psycopg.connect(
        host=target["HOST"],
        port=target["PORT"],
        dbname=target["NAME"],
        user=web["USER"],
        password=web["PASSWORD"],
        autocommit=True,
    ) as session:
        if role:
            session.execute("SELECT set_config('role', %s, false)", [role])
        session.execute(
            "SELECT set_config('marketedge.organisation', %s, false)", [str(organisation.pk) if organisation else ""]
        )
        yield session
