"""Changes to flags and overrides: each one action, one transaction, one audit line."""

from collections.abc import Iterable
from typing import Any

from modules.flags.models import Flag, FlagOverride, FlagPrerequisite
from tenants import audit


def save_flag(flag: Flag, *, by: Any, reason: str = "", needs: Iterable[Flag] | None = None) -> Flag:
    """Create or change; the salt is the key at creation. `needs` replaces the prerequisites, None leaves them."""
    with audit.action("flag.saved" if flag.pk else "flag.created", by=by, reason=reason, flag=flag.key):
        flag.salt = flag.salt or flag.key
        flag.save()
        if needs is not None:
            _set_prerequisites(flag, {needed.pk for needed in needs})
    return flag


def _set_prerequisites(flag: Flag, wanted: set[int]) -> None:
    present = set(FlagPrerequisite.objects.filter(flag=flag).values_list("needs_id", flat=True))
    FlagPrerequisite.objects.filter(flag=flag, needs_id__in=present - wanted).delete()
    for pk in sorted(wanted - present):
        FlagPrerequisite.objects.create(flag=flag, needs_id=pk)


def kill_flag(flag: Flag, *, by: Any, reason: str) -> Flag:
    return _switch(flag, "flag.killed", by=by, reason=reason, is_killed=True)


def restore_flag(flag: Flag, *, by: Any, reason: str) -> Flag:
    """Neither killed nor archived any more: the rest of its ladder holds again."""
    return _switch(flag, "flag.restored", by=by, reason=reason, is_killed=False, is_archived=False)


def archive_flag(flag: Flag, *, by: Any, reason: str) -> Flag:
    return _switch(flag, "flag.archived", by=by, reason=reason, is_archived=True)


def _switch(flag: Flag, name: str, *, by: Any, reason: str, **fields: bool) -> Flag:
    with audit.action(name, by=by, reason=reason, flag=flag.key):
        for field, value in fields.items():
            setattr(flag, field, value)
        flag.save(update_fields=[*fields, "updated_at"])
    return flag


def save_override(override: FlagOverride, *, by: Any) -> FlagOverride:
    """The override's own reason is the reason."""
    flag, target = override.flag.key, str(override.organisation or override.person)
    with audit.action("flag.override_saved", by=by, reason=override.reason, flag=flag, target=target):
        override.author = by
        override.save()
    return override


def delete_override(override: FlagOverride, *, by: Any, reason: str = "") -> None:
    flag, target = override.flag.key, str(override.organisation or override.person)
    with audit.action("flag.override_deleted", by=by, reason=reason, flag=flag, target=target):
        override.delete()
