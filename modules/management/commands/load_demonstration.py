"""Loads the demonstration: fictitious organisations, people and figures."""

from typing import Any

from django.conf import settings

from modules import demonstration
from tenants.operations import ChangingCommand, UsageError


class Command(ChangingCommand):
    help = "Add the demonstration's organisations, people and figures. Only while DEMONSTRATION is on."
    needs_reason = False  # everything in it is invented
    default_timeout = 300.0

    def change(self, *, by: Any, reason: str, **options: Any) -> list[str]:
        if not settings.DEMONSTRATION:
            raise UsageError("Set DEMONSTRATION=on: fictitious people do not belong among real ones.")
        return demonstration.load()
