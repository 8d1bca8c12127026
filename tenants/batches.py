"""Deletes many rows piece by piece, beside others who do the same at that moment."""

from django.db.models import QuerySet

BATCH = 1_000


def delete_in_batches(rows: QuerySet, *, limit: int) -> int:
    """Delete up to `limit` of the rows; those that somebody else is working with are left. Needs a transaction."""
    deleted = 0
    while deleted < limit:
        free = rows.select_for_update(skip_locked=True, of=("self",)).order_by("pk").values_list("pk", flat=True)
        keys = list(free[: min(BATCH, limit - deleted)])
        if not keys:
            break
        rows.model._base_manager.filter(pk__in=keys).delete()
        deleted += len(keys)
    return deleted
