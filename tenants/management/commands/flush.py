"""Django's flush, as the owner of the tables."""

from typing import Any

from django.core.management.commands import flush

from tenants.postgresql.owner import owner_login


class Command(flush.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with owner_login():
            super().handle(*args, **options)
