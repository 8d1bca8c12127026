"""Makes the database roles that the scopes stand for and the web's login; prints the SQL where it may not."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import ProgrammingError, connection
from psycopg import sql

from tenants.operations import OperationsCommand, Report, UsageError, end
from tenants.postgresql import roles
from tenants.postgresql.owner import owner_login

PLACEHOLDER = "'...the password in DATABASE_URL...'"


class Command(OperationsCommand):
    help = "Make the database roles (once for a cluster). Without --apply, or without the right, print the SQL."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--apply", action="store_true", help="run the SQL as DATABASE_OWNER_URL's login")

    def handle(self, *args: Any, apply: bool, as_json: bool, timeout: float, **options: Any) -> None:
        web = dict(settings.DATABASES["default"])
        if not apply:
            self._print(script(web["USER"], PLACEHOLDER), as_json)
            return
        report = self.bounded(lambda: self._made(web), timeout, as_json)
        self.tell(report, as_json)
        end(report.exit)

    def _print(self, text: str, as_json: bool) -> None:
        """The SQL for an administrator; it asks no database."""
        if as_json:
            self.say_json({"applied": False, "sql": text, "exit": 0})
        else:
            self.stdout.write(text)

    def _made(self, web: dict[str, Any]) -> Report:
        report = Report()
        with owner_login():
            try:
                self._make(web["USER"], web["PASSWORD"])
            except ProgrammingError as refused:
                self.stderr.write(script(web["USER"], PLACEHOLDER))
                advice = "Run the SQL above as an administrator, with the password filled in."
                raise CommandError(f"The owner may not make roles: {refused} {advice}") from refused
        report.ok("roles", f"are there: {', '.join((*roles.ALL, web['USER']))}")
        return report

    def _make(self, web: str, password: str) -> None:
        if web == connection.settings_dict["USER"]:
            raise UsageError(
                "DATABASE_URL and DATABASE_OWNER_URL must be two logins: row security does not hold owners."
            )
        quoted = sql.Literal(password).as_string(None)
        with connection.cursor() as cursor:
            cursor.execute(script(web, quoted))


def script(web: str, password: str) -> str:
    """The SQL as text; running it again changes nothing but the password."""
    login = sql.Identifier(web).as_string(None)
    made = "\n".join(_make_role(name) for name in roles.ALL)
    return f"""{made}
{_make_role(web)}
ALTER ROLE {login} LOGIN NOINHERIT NOCREATEDB NOCREATEROLE PASSWORD {password};
GRANT {", ".join(roles.ALL)} TO {login};
"""


def _make_role(name: str) -> str:
    role, literal = sql.Identifier(name).as_string(None), sql.Literal(name).as_string(None)
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal})"
        f" THEN CREATE ROLE {role} NOLOGIN NOINHERIT; END IF; END $$;"
    )
