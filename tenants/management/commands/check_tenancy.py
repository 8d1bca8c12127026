"""Does the database hold the organisations apart, and has it always?"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection

from tenants import scope
from tenants.operations import LookingCommand, Report
from tenants.postgresql.owner import owner_login
from tenants.tenancy import grants, logins, policies, probe, rows


class Command(LookingCommand):
    help = (
        "Look whether row security, policies, roles, privileges, keys and rows hold the organisations apart, and try"
        " it. Exit code 0: they do, 1: they do not, 3: cannot tell."
    )
    default_timeout = 60.0

    def look(self, **options: Any) -> Report:
        web = settings.DATABASES["default"]["USER"]
        self._say_who_asks(web)
        with everything_visible(), connection.cursor() as cursor:
            self.report.add(policies.examine(cursor))
            self.report.add(logins.examine(cursor, web=web))
            self.report.add(grants.examine(cursor, web=web))
            self.report.add(rows.examine_keys(cursor))
            self.report.add(rows.examine_rows(cursor))
            shared = rows.shared_tables(cursor)
        self.report.add(probe.examine(shared))
        return self.report

    def _say_who_asks(self, web: str) -> None:
        owner = settings.OWNER_DATABASE
        who = f"{owner['USER']} (DATABASE_OWNER_URL)" if owner else f"{web} (DATABASE_URL), in its roles"
        self.report.note("asked as", f"{who}; the probe as {web}")


@contextmanager
def everything_visible() -> Iterator[None]:
    """The owner where there is one, else the platform role: both see the rows of all organisations."""
    with owner_login() if settings.OWNER_DATABASE else scope.platform():
        yield
