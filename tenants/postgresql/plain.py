"""A connection of the web's login without Django and without a role: for commands that ask how the database is."""

import math
from collections.abc import Iterator
from contextlib import closing, contextmanager

from django.db import connection

from tenants.postgresql import deadline
from tenants.postgresql.connection import BoundedConnection


@contextmanager
def plain_connection() -> Iterator[BoundedConnection]:
    """Closed afterwards. It waits to connect as long as the running code has, which may be longer than the web does.

    Raises psycopg's errors.
    """
    parameters = connection.get_connection_params()
    left = deadline.remaining() or parameters.get("connect_timeout", 3)
    for name in ("context", "cursor_factory"):
        parameters.pop(name, None)
    # One limit alone, so that what is said is what happened.
    bounds = {"connect_timeout": max(2, math.floor(left)), "tcp_user_timeout": 0}
    wanted = {**parameters, **bounds, "autocommit": True}
    with closing(BoundedConnection.connect(**wanted)) as opened:
        yield opened
