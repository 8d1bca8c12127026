"""Adds what was counted to the hourly rows, and finds out later whether that was done. For `flushing` alone."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import DataError, connection, transaction

from modules.flags.exposure.counting import NOT_TOLD_APART
from modules.flags.exposure.waiting import Row, Waiting

# All in the same order: processes that write at once wait for each other, and never in a circle.
ADD = """
INSERT INTO flags_flagexposure AS held (hour, flag_key, organisation_public_id, is_on, variant, rung, count)
SELECT hour, flag_key, organisation, is_on, variant, rung, sum(times)
FROM unnest(
    %(hours)s::timestamptz[], %(keys)s::text[], %(organisations)s::uuid[],
    %(states)s::boolean[], %(variants)s::text[], %(rungs)s::smallint[], %(times)s::bigint[]
) AS told (hour, flag_key, organisation, is_on, variant, rung, times)
GROUP BY hour, flag_key, organisation, is_on, variant, rung
ORDER BY flag_key, hour, organisation, is_on, variant, rung
ON CONFLICT (flag_key, hour, organisation_public_id, is_on, variant, rung) DO UPDATE
SET count = held.count + excluded.count
"""


class Outcome(StrEnum):
    """How a transaction ended, in PostgreSQL's words; UNKNOWN where it has forgotten."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    IN_PROGRESS = "in progress"
    UNKNOWN = "unknown"


class Batch(Waiting):
    """What is written together. `transaction` is the id under which that was tried, None before."""

    transaction: str | None = None


def write(batch: Batch) -> None:
    """All of it or nothing. Where this raises, `outcome` of the batch's transaction says which, if it has one."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        batch.transaction = cursor.fetchone()[0]
        cursor.execute(ADD, _columns(batch))


def outcome(transaction_id: str) -> Outcome:
    with connection.cursor() as cursor:
        try:
            cursor.execute("SELECT pg_xact_status(%s::xid8)", [transaction_id])
        except DataError:
            # A number that was not reached: the server ended before it had written anything of the transaction.
            return Outcome.ABORTED
        return Outcome(cursor.fetchone()[0] or Outcome.UNKNOWN)


def _columns(rows: Mapping[Row, int]) -> dict[str, list[Any]]:
    return {
        "hours": [row.hour for row in rows],
        "keys": [row.key for row in rows],
        "organisations": [_public_id(row.organisation) for row in rows],
        "states": [bool(row.answered) for row in rows],
        "variants": [_variant(row.answered) for row in rows],
        "rungs": [row.rung for row in rows],
        "times": list(rows.values()),
    }


def _public_id(organisation: str) -> UUID | None:
    """What code called an organisation and is none of ours is not told apart."""
    try:
        return UUID(str(organisation)) if organisation else None
    except ValueError:
        return UUID(NOT_TOLD_APART)


def _variant(answered: bool | str) -> str:
    return answered if isinstance(answered, str) else "on" if answered else "off"
