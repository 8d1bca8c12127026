"""Lets a command work as the owner of the tables: migrations and roles, never the web."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection

from tenants import scope


@contextmanager
def owner_login() -> Iterator[None]:
    """The default connection belongs to DATABASE_OWNER_URL's login inside; CommandError when that is not set."""
    if connection.settings_dict["LOGIN"] == "owner":
        with scope.login():
            yield
        return
    if settings.OWNER_DATABASE is None:
        problem = "Set DATABASE_OWNER_URL to the owner's login: the web's login may not do this."
        raise CommandError(problem, returncode=2)
    web = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(settings.OWNER_DATABASE)
    try:
        with scope.login():
            yield
    finally:
        connection.close()
        connection.settings_dict.update(web)
