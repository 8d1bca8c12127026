"""Changes to flags and what belongs to them: each one action, one transaction, one audit line, one release."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

from modules.flags.copying import copy_of
from modules.flags.document import FORMAT, Malformed, bodies, canonical, require_each_once
from modules.flags.drafting import bodies as drafted
from modules.flags.models import (
    Flag,
    FlagOverride,
    FlagPointer,
    FlagPrerequisite,
    FlagRelease,
    FlagVariant,
    RampStep,
    SectorRule,
)
from modules.flags.releases import LONGEST_REASON, Overtaken, Refused, change
from modules.flags.restoring import Restored, restore
from tenants.models import AuditEvent

Sectors = Iterable[str] | None


def save_flag(
    flag: Flag,
    *,
    by: Any,
    reason: str = "",
    fields: Iterable[str] | None = None,
    needs: Iterable[Flag] | None = None,
    allowed_sectors: Sectors = None,
    blocked_sectors: Sectors = None,
    variants: Sequence[FlagVariant] | None = None,
    ramp: Sequence[RampStep] | None = None,
) -> Flag:
    """Create or change; the salt is the key at creation.

    With `fields`, only these are written, so that what somebody else changed meanwhile stays. What is given as a list
    replaces what is there; None leaves it.
    """
    with change("flag.saved" if flag.pk else "flag.created", by=by, reason=reason, flag=flag.key):
        flag.salt = flag.salt or flag.key
        written = _with_lists(flag, fields, allowed_sectors, blocked_sectors)
        flag.save(update_fields=written if flag.pk else None)
        _set_sectors(flag, allowed_sectors, SectorRule.Effect.ALLOW)
        _set_sectors(flag, blocked_sectors, SectorRule.Effect.BLOCK)
        if needs is not None:
            _set_prerequisites(flag, {needed.pk for needed in needs})
        for model, rows in ((FlagVariant, variants), (RampStep, ramp)):
            if rows is not None:
                _replace(model, flag, rows)
    return flag


def _with_lists(flag: Flag, fields: Iterable[str] | None, allowed: Sectors, blocked: Sectors) -> list[str] | None:
    """The release before reads the rules of sectors in the flag itself."""
    lists = {"allowed_sectors": allowed, "blocked_sectors": blocked}
    given = {name: list(codes) for name, codes in lists.items() if codes is not None}
    for name, codes in given.items():
        setattr(flag, name, codes)
    return None if fields is None else [*{*fields, *given, "updated_at"}]


def _set_sectors(flag: Flag, codes: Sectors, effect: SectorRule.Effect) -> None:
    if codes is None:
        return
    wanted, rules = set(codes), SectorRule.objects.filter(flag=flag, effect=effect)
    present = set(rules.values_list("prefix", flat=True))
    rules.filter(prefix__in=present - wanted).delete()
    for code in sorted(wanted - present):
        SectorRule.objects.create(flag=flag, prefix=code, effect=effect)


def _set_prerequisites(flag: Flag, wanted: set[int]) -> None:
    present = set(FlagPrerequisite.objects.filter(flag=flag).values_list("needs_id", flat=True))
    FlagPrerequisite.objects.filter(flag=flag, needs_id__in=present - wanted).delete()
    for pk in sorted(wanted - present):
        FlagPrerequisite.objects.create(flag=flag, needs_id=pk)


def _replace(model: Any, flag: Flag, rows: Sequence[Any]) -> None:
    model.objects.filter(flag=flag).delete()
    for row in rows:
        row.pk, row.flag = None, flag
        row.save(force_insert=True)


def kill_flag(flag: Flag, *, by: Any, reason: str) -> Flag:
    kill_flags([flag], by=by, reason=reason)
    return flag


def restore_flag(flag: Flag, *, by: Any, reason: str) -> Flag:
    restore_flags([flag], by=by, reason=reason)
    return flag


def archive_flag(flag: Flag, *, by: Any, reason: str) -> Flag:
    archive_flags([flag], by=by, reason=reason)
    return flag


def kill_flags(flags: Sequence[Flag], *, by: Any, reason: str) -> int | None:
    """All of them or none, like all that take several flags: one release, whose number is returned, None where nothing
    was to be done."""
    return _set_all(flags, "killed", is_emergency=True, by=by, reason=reason, is_killed=True)


def restore_flags(flags: Sequence[Flag], *, by: Any, reason: str) -> int | None:
    """Neither killed nor archived any more: the rest of their ladder holds again."""
    return _set_all(flags, "restored", by=by, reason=reason, is_killed=False, is_archived=False)


def archive_flags(flags: Sequence[Flag], *, by: Any, reason: str) -> int | None:
    return _set_all(flags, "archived", by=by, reason=reason, is_archived=True)


def enable_flags(flags: Sequence[Flag], *, by: Any, reason: str) -> int | None:
    return _set_all(flags, "enabled", by=by, reason=reason, is_enabled=True)


def disable_flags(flags: Sequence[Flag], *, by: Any, reason: str) -> int | None:
    """Off but for overrides."""
    return _set_all(flags, "disabled", by=by, reason=reason, is_enabled=False)


def review_flags(flags: Sequence[Flag], *, on: date, by: Any, reason: str) -> int | None:
    """Somebody looks at them again on this day."""
    return _set_all(flags, "review_set", by=by, reason=reason, review_date=on)


def copy_flags(copies: Mapping[str, Flag], *, by: Any, reason: str) -> int | None:
    """A copy of each flag under its new key, without overrides and not enabled."""
    taken = sorted(Flag.objects.filter(key__in=copies).values_list("key", flat=True))
    if taken:
        raise Refused(f"{', '.join(taken)}: there is a flag of this key already; choose another.")
    with _change_of(copies, "copied", by=by, reason=reason, copy_of=[flag.key for flag in copies.values()]) as event:
        for key, flag in copies.items():
            copy_of(flag, key)
    return event.data.get("release")


def _set_all(
    flags: Sequence[Flag], name: str, *, by: Any, reason: str, is_emergency: bool = False, **fields: Any
) -> int | None:
    """Where all are so already, because two people did the same, nothing is told: neither here nor in the audit."""
    keys = [flag.key for flag in flags]
    with _change_of(keys, name, by=by, reason=reason, is_emergency=is_emergency) as event:
        _require_present(flags)
        others = set(
            Flag.objects.filter(pk__in=[flag.pk for flag in flags]).exclude(**fields).values_list("pk", flat=True)
        )
        event.is_void = not others
        for flag in flags:
            for field, value in fields.items():
                setattr(flag, field, value)
            if flag.pk in others:
                flag.save(update_fields=[*fields, "updated_at"])
    return event.data.get("release")


def _change_of(keys: Collection[str], name: str, **options: Any) -> AbstractContextManager[AuditEvent]:
    """One line in the audit, in the singular for one flag."""
    if len(keys) == 1:
        return change(f"flag.{name}", flag=next(iter(keys)), **options)
    return change(f"flags.{name}", flags=list(keys), **options)


def _require_present(flags: Sequence[Flag]) -> None:
    """Going back to an older release deletes the flags that it does not know."""
    there = set(Flag.objects.filter(pk__in=[flag.pk for flag in flags]).values_list("pk", flat=True))
    gone = [flag.key for flag in flags if flag.pk not in there]
    if gone:
        raise Refused(f"{', '.join(gone)}: not there any more; somebody has just taken it away.")


def save_override(override: FlagOverride, *, by: Any) -> FlagOverride:
    """The override's own reason is the reason."""
    flag, target = override.flag.key, str(override.organisation or override.person)
    with change("flag.override_saved", by=by, reason=override.reason, flag=flag, target=target):
        override.author = by if getattr(by, "pk", None) else None
        override.save()
    return override


def delete_override(override: FlagOverride, *, by: Any, reason: str = "") -> None:
    flag, target = override.flag.key, str(override.organisation or override.person)
    with change("flag.override_deleted", by=by, reason=reason, flag=flag, target=target):
        override.delete()


def revert_to(number: int, *, by: Any, reason: str, newest: int | None = None) -> Restored:
    """A new release with the document of an older one; the rows say the same again. Refused where that cannot be.

    With `newest`, Overtaken when that is no longer the newest release.
    """
    with change("flags.reverted", by=by, reason=reason, reverts_to=number, to=number):
        _require_newest(newest)
        return _restored(_document(number), only=True)


def revert_flag_to(key: str, number: int, *, by: Any, reason: str, newest: int | None = None) -> Restored:
    """One flag says again what it said in an older release; the others stay. Refused and Overtaken likewise."""
    words = f"{key} as in release {number}: {reason}"
    with change("flag.reverted", by=by, reason=words[:LONGEST_REASON], flag=key, to=number):
        _require_newest(newest)
        return _restored(with_flag_of(key, number), only=False)


def with_flag_of(key: str, number: int) -> str:
    """What the flags say now, with one of them as it was in an older release. Refused where it was not there."""
    try:
        body = bodies(_document(number)).get(key)
    except Malformed as fault:
        raise Refused(str(fault)) from fault
    if body is None:
        raise Refused(f"Release {number} has no flag {key}. To turn it off, archive it.")
    return canonical({"format": FORMAT, "flags": {**drafted(), key: body}})


def _document(number: int) -> str:
    document = FlagRelease.objects.filter(number=number).values_list("document", flat=True).first()
    if document is None:
        raise Refused(f"There is no release {number}.")
    return document


def _require_newest(number: int | None) -> None:
    """Asked under the lock of those who change flags, so that nobody can come in between."""
    if number is None:
        return
    newest = FlagPointer.objects.values_list("number", flat=True).get(id=1)
    if newest != number:
        raise Overtaken(f"Release {newest} was published since you looked: look again at what would change.")


def import_flags(text: str, *, by: Any, reason: str, only: bool = False) -> Restored:
    """Make the flags say what an exported document says; with `only`, no other flag stays."""
    with change("flags.imported", by=by, reason=reason):
        return _restored(text, only=only, is_from_outside=True)


def _restored(text: str, *, only: bool, is_from_outside: bool = False) -> Restored:
    try:
        if is_from_outside:
            require_each_once(text)
        return restore(text, only=only)
    except Malformed as fault:
        raise Refused(str(fault)) from fault
