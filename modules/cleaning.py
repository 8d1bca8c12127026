"""Which rows are over, and may go? Each floor says of its own, each module too; one event tells what went."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.module_loading import import_string

from accounts import cleaning
from modules import registry
from modules.flags.exposure import cleaning as flags_cleaning
from tenants import audit
from tenants.batches import delete_in_batches

LIMIT = 50_000  # rows of each kind in one run


def over(*, at: datetime) -> dict[str, QuerySet]:
    """All that is over, by what it is in words. Needs platform scope."""
    found: dict[str, QuerySet] = cleaning.over(at=at) | flags_cleaning.over(at=at)
    for spec in registry.all_specs():
        if spec.over:
            says: Any = import_string(spec.over)
            found |= says(at=at)
    return found


def clean_up(*, at: datetime, by: Any, reason: str, limit: int = LIMIT) -> dict[str, int]:
    """Delete what is over, at most `limit` of each kind; returns how many of each went. No event for nothing."""
    found = {words: rows for words, rows in over(at=at).items() if rows.exists()}
    if not found:
        return {}
    with audit.action("platform.cleaned_up", by=by, reason=reason) as event:
        deleted = event.data["deleted"] = {words: delete_in_batches(rows, limit=limit) for words, rows in found.items()}
    return deleted
