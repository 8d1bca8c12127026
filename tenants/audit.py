"""Who did what, when and why: one event for each action; PostgreSQL's triggers add the changed rows below it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from tenants import request_id
from tenants.models import AuditEvent, Organisation


def record(
    name: str, *, by: Any = None, organisation: Organisation | None = None, reason: str = "", **data: Any
) -> AuditEvent:
    """Write an event that changes nothing else: a sign-in, a refusal, a switch.

    `by` is the person or None; further keywords are kept as JSON. Call it outside a transaction that is rolled back.
    """
    event = _event(name, by=by, organisation=organisation, reason=reason, data=data)
    event.save(force_insert=True)
    return event


@contextmanager
def action(
    name: str, *, by: Any = None, organisation: Organisation | None = None, reason: str = "", **data: Any
) -> Iterator[AuditEvent]:
    """One transaction and its one event: changes made inside become its details, and all is kept or nothing.

    Whoever finds inside that all was so already says it of the event, `is_void`: then nothing is told either.
    """
    event = _event(name, by=by, organisation=organisation, reason=reason, data=data)
    with transaction.atomic():
        outer = _swap_current_event(str(event.id))
        yield event
        if not event.is_void:
            event.save(force_insert=True)
        _swap_current_event(outer)


def _event(name: str, *, by: Any, organisation: Organisation | None, reason: str, data: dict[str, Any]) -> AuditEvent:
    person = by if getattr(by, "pk", None) else None
    return AuditEvent(
        action=name,
        actor=person,
        actor_email=getattr(by, "email", ""),
        organisation=organisation,
        reason=reason,
        request_id=request_id.current.get(),
        data=data,
    )


def _swap_current_event(event_id: str) -> str:
    """Tell the triggers which event is going on; returns the one that was. It ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('marketedge.event', true), '')")
        outer = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('marketedge.event', %s, true)", [event_id])
    return outer
