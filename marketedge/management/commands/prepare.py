"""Makes a database ready in one go: roles, migrations, reference data and, in the demonstration, its data."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Make roles, migrate, load reference data and, while DEMONSTRATION is on, the demonstration."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("database_roles", apply=True, stdout=self.stdout)
        call_command("migrate", verbosity=options["verbosity"], interactive=False, stdout=self.stdout)
        call_command("bootstrap", apply=True, stdout=self.stdout)
        if settings.DEMONSTRATION:
            call_command("load_demonstration", apply=True, stdout=self.stdout)
