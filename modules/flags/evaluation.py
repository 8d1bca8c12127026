"""The only reader of flags: `is_on` and `explain`, for the request's context or for one that is given.

The flags are read once for a context, in two queries; evaluating asks the database nothing and never raises.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import Aggregate, JSONField, Q
from django.utils import timezone

from modules.flags import ladder
from modules.flags.ladder import Context, Explanation, Override, Reason, Rules, Snapshot
from modules.flags.models import Flag, FlagOverride

__all__ = ["Context", "Explanation", "Reason", "explain", "is_on", "using"]

logger = logging.getLogger(__name__)
_told: set[str] = set()


class Keys(Aggregate):
    """The keys of many rows as one list; None when there is no row."""

    function = "JSONB_AGG"
    output_field = JSONField()


@dataclass
class Pinned:
    """A context with the flags as they were when it first asked, for the whole request."""

    context: Context

    @cached_property
    def snapshot(self) -> Snapshot:
        return load(self.context)


_pinned: ContextVar[Pinned | None] = ContextVar("flags", default=None)


@contextmanager
def using(context: Context) -> Iterator[Pinned]:
    """Answer for this context inside; the flags are read at the first question and then stay as they are."""
    token = _pinned.set(Pinned(context))
    try:
        yield _pinned.get()  # type: ignore[misc]
    finally:
        _pinned.reset(token)


def is_on(key: str, *, default: bool = False, context: Context | None = None) -> bool:
    return explain(key, default=default, context=context).value


def explain(key: str, *, default: bool = False, context: Context | None = None) -> Explanation:
    """The flag's answer with its reason; for `context`, or the one in use, or nobody."""
    pinned = _pinned.get()
    if pinned is None or (context is not None and context != pinned.context):
        pinned = Pinned(context or Context())
    at = pinned.context.at or timezone.now()
    answer = ladder.evaluate(pinned.snapshot, key, pinned.context, default=default, at=at)
    if answer.reason is Reason.UNKNOWN_FLAG and key not in _told:
        _told.add(key)
        logger.warning("The flag %s is unknown: its default %s holds.", key, default)
    return answer


def load(context: Context) -> Snapshot:
    """Two queries: the flags with their prerequisites, and the overrides for this person and this organisation."""
    overrides = {(row.flag_id, row.person_id is not None): _override(row) for row in _overrides(context)}
    needs = Keys("needs_rows__needs__key", filter=Q(needs_rows__isnull=False))
    rules = [_rules(flag, overrides) for flag in Flag.objects.annotate(needed_keys=needs).order_by("pk")]
    return Snapshot({rule.key: rule for rule in rules}, settings.FLAGS_FORCED)


def _overrides(context: Context) -> list[FlagOverride]:
    targets = Q(pk=None)
    if context.person_id is not None:
        targets |= Q(person_id=context.person_id)
    if context.organisation_id is not None:
        targets |= Q(organisation_id=context.organisation_id)
    return list(FlagOverride.objects.filter(targets).select_related("author").order_by("pk"))


def _override(row: FlagOverride) -> Override:
    return Override(row.value, row.starts_at, row.expires_at, str(row.author or "the system"), row.reason)


def _rules(flag: Any, overrides: dict[tuple[int, bool], Override]) -> Rules:
    return Rules(
        key=flag.key,
        is_enabled=flag.is_enabled,
        is_killed=flag.is_killed,
        is_archived=flag.is_archived,
        rollout=flag.rollout,
        bucket_by=flag.bucket_by,
        salt=flag.salt,
        module_key=flag.module_key,
        starts_at=flag.window_starts_at,
        ends_at=flag.window_ends_at,
        allowed_sectors=tuple(flag.allowed_sectors),
        blocked_sectors=tuple(flag.blocked_sectors),
        prerequisites=tuple(flag.needed_keys or ()),
        person_override=overrides.get((flag.pk, True)),
        organisation_override=overrides.get((flag.pk, False)),
    )
