"""Loads the demonstration: fictitious organisations, people and figures."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from modules import demonstration
from tenants import scope


class Command(BaseCommand):
    help = "Add the demonstration's organisations, people and figures. Only while DEMONSTRATION is on."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMONSTRATION:
            raise CommandError("Set DEMONSTRATION=on: fictitious people do not belong among real ones.")
        with scope.platform():
            demonstration.load()
        self.stdout.write("The demonstration is loaded.")
