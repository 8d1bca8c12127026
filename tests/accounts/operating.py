"""Runs commands as ops do, and reads what they leave behind."""

import io
import json
from typing import Any

from django.core.management import CommandError, call_command

from tenants import scope
from tenants.models import AuditEvent

APPLY = ("--apply", "--actor", "ops@example.com", "--reason", "asked for it")


def run(*arguments: str) -> tuple[str, int]:
    """What was printed, and the exit code."""
    output = io.StringIO()
    try:
        call_command(*arguments, stdout=output)
    except SystemExit as ended:
        return output.getvalue(), int(ended.code or 0)
    except CommandError as refused:
        return str(refused), refused.returncode
    return output.getvalue(), 0


def run_json(*arguments: str) -> dict[str, Any]:
    return json.loads(run(*arguments, "--json")[0])


def events() -> list[tuple[str, str, str]]:
    """What was done, by whom and why; the rows below are left out."""
    with scope.login():
        rows = AuditEvent.objects.filter(kind="event").order_by("occurred_at", "id")
        return [(row.action, row.actor_email, row.reason) for row in rows]


def event(action: str) -> AuditEvent:
    with scope.login():
        return AuditEvent.objects.get(action=action)
