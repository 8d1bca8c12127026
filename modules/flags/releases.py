"""Releases: each change of flags ends in one, numbered in the order of their commits without a gap."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from modules.flags import watching
from modules.flags.document import Malformed
from modules.flags.drafting import draft
from modules.flags.models import FlagPointer, FlagRelease
from modules.flags.newest import newest_release, release_that_holds
from modules.flags.snapshot import NO_FLAGS, Snapshot, compile_release
from modules.flags.soundness import require_sound
from tenants import audit
from tenants.models import AuditEvent

LONGEST_REASON = 500
_is_changing: ContextVar[bool] = ContextVar("flags_are_being_changed", default=False)


class Refused(ValidationError):
    """The flags would make no sense after the change: the message says which, and why."""


class Overtaken(Refused):
    """Somebody published a release since whoever wants to change the flags looked at them."""


@contextmanager
def change(name: str, *, by: Any, reason: str, reverts_to: int | None = None, **data: Any) -> Iterator[AuditEvent]:
    """One transaction, one line in the audit and one release for all that changes inside.

    Others who change flags wait until it is over. Inside another one it is a part of that, and its release. Refused,
    with nothing changed, when the whole would make no sense.
    """
    with audit.action(name, by=by, reason=reason, **data) as event:
        if _is_changing.get():
            yield event
            return
        pointer = _locked_pointer()
        token = _is_changing.set(True)
        try:
            yield event
        finally:
            _is_changing.reset(token)
        event.data["release"] = number = _publish(pointer, by=by, reason=reason or name, reverts_to=reverts_to)
        event.is_void = event.is_void and number is None


def hold(number: int) -> None:
    """Until this transaction ends nobody else changes flags. Overtaken when that is not the newest release."""
    if _locked_pointer().number != number:
        raise Overtaken("Somebody else published meanwhile.")


def publish(*, by: Any, reason: str) -> int | None:
    """A release of what the rows say, where the newest says something else; its number, or None."""
    with change("flags.published", by=by, reason=reason) as event:
        event.is_void = True  # unless there is a release
    return event.data["release"]


def is_published() -> bool:
    """Whether the newest release says what the rows say."""
    newest = newest_release()
    return draft() == (newest.document if newest else NO_FLAGS)


def snapshot_at(moment: datetime) -> Snapshot:
    """The flags as they were at a moment of the past: of the release that held then, compiled for it."""
    release = release_that_holds(moment)
    if release is None:
        return Snapshot(0, {})
    return compile_release(release.number, release.document, moment)


def _locked_pointer() -> FlagPointer:
    FlagPointer.objects.bulk_create([FlagPointer()], ignore_conflicts=True)
    return FlagPointer.objects.select_for_update().get(id=1)


def _highest(number: int) -> int:
    """Where the pointer was lost, or is older than a release, its number is taken already."""
    newest = FlagRelease.objects.order_by("-number").values_list("number", flat=True).first()
    return max(number, newest or 0)


def _publish(pointer: FlagPointer, *, by: Any, reason: str, reverts_to: int | None) -> int | None:
    document = draft()
    if FlagRelease.objects.filter(number=pointer.number, document=document).exists():
        return None
    try:
        require_sound(document)
    except Malformed as fault:
        raise Refused(str(fault)) from fault
    pointer.number = _highest(pointer.number) + 1
    FlagRelease(
        number=pointer.number,
        document=document,
        author=by if getattr(by, "pk", None) else None,
        author_email=getattr(by, "email", ""),
        reason=reason[:LONGEST_REASON],
        reverts_to=reverts_to,
    ).save(force_insert=True)
    pointer.save(update_fields=["number"])
    transaction.on_commit(watching.store.hurry)
    return pointer.number
