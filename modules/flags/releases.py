"""Releases: each change of flags ends in one, numbered in the order of their commits without a gap."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from modules.flags import watching
from modules.flags.document import FORMAT, Malformed, bodies, canonical
from modules.flags.drafting import draft
from modules.flags.models import Flag, FlagPointer, FlagRelease
from modules.flags.newest import newest_number, newest_release, release_that_holds
from modules.flags.snapshot import NO_FLAGS, Snapshot, compile_release
from modules.flags.soundness import require_sound
from tenants import audit
from tenants.models import AuditEvent

logger = logging.getLogger(__name__)
LONGEST_REASON = 500
ONLY_KILLS = "only kills are in it: "


@dataclass
class UnderWay:
    """A change of flags. `is_emergency`: a part of it kills, which shall not wait for what else is wrong."""

    is_emergency: bool = False


_under_way: ContextVar[UnderWay | None] = ContextVar("flags_are_being_changed", default=None)


class Refused(ValidationError):
    """The flags would make no sense after the change: the message says which, and why."""


class Overtaken(Refused):
    """Somebody published a release since whoever wants to change the flags looked at them."""


@contextmanager
def change(
    name: str, *, by: Any, reason: str, reverts_to: int | None = None, is_emergency: bool = False, **data: Any
) -> Iterator[AuditEvent]:
    """One transaction, one line in the audit and one release for all that changes inside.

    Others who change flags wait until it is over. Inside another one it is a part of that, and its release. Refused,
    with nothing changed, when the whole would make no sense; but in an emergency see `to_publish`.
    """
    with audit.action(name, by=by, reason=reason, **data) as event:
        outer = _under_way.get()
        if outer:
            outer.is_emergency |= is_emergency
            yield event
            return
        pointer, here = _locked_pointer(), UnderWay(is_emergency)
        token = _under_way.set(here)
        try:
            yield event
            document, fault = to_publish()
        finally:
            _under_way.reset(token)
        words = f"{reason or name}{f' ({ONLY_KILLS}{fault})' if fault else ''}"
        event.data["release"] = number = _publish(pointer, document, by=by, reason=words, reverts_to=reverts_to)
        event.is_void = event.is_void and number is None


def to_publish() -> tuple[str, str]:
    """Inside a change: what the rows say, and what is wrong with that. Refused where it makes no sense.

    In an emergency what holds is published again instead, with the flags killed that the rows say are killed: rows that
    somebody has spoilt, or another version wrote, keep nobody from killing a flag.
    """
    under_way, document = _under_way.get(), draft()
    try:
        require_sound(document)
    except Malformed as fault:
        if under_way is None or not under_way.is_emergency:
            raise Refused(str(fault)) from fault
        logger.error("Only the kills of flags are published: their rows make no sense. %s", fault)
        return _with_kills(), str(fault)
    return document, ""


def _with_kills() -> str:
    held = release_that_holds()
    told = bodies(held.document) if held else {}
    killed = set(Flag.objects.filter(is_killed=True).values_list("key", flat=True))
    dead = {key: {**body, "killed": True} for key, body in told.items() if key in killed and isinstance(body, dict)}
    return canonical({"format": FORMAT, "flags": {**told, **dead}})


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
    return max(number, newest_number())


def _publish(pointer: FlagPointer, document: str, *, by: Any, reason: str, reverts_to: int | None) -> int | None:
    if FlagRelease.objects.filter(number=pointer.number, document=document).exists():
        return None
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
