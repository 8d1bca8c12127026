"""Makes the rows say what a document says: for going back to an older release, and for importing."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Model

from modules.flags.document import Malformed, Rules, bodies, moment_text
from modules.flags.drafting import bodies as drafted
from modules.flags.models import Flag, FlagOverride, FlagPrerequisite, FlagVariant, RampStep, SectorRule
from modules.flags.soundness import require_sound
from tenants.models import Organisation
from tenants.zoned_times import FIRST, LAST


class Restored:
    """What was done, one line each: `changes`, and what could not be done: `left_out`."""

    def __init__(self) -> None:
        self.changes: list[str] = []
        self.left_out: list[str] = []


def restore(text: str, *, only: bool = True) -> Restored:
    """Malformed, with nothing done, for a document that nobody may publish. With `only`, flags that it does not know
    are deleted. Overrides for organisations and people who are not here are left out, and so are parts that flags do
    not have here."""
    rules, now, done = require_sound(text), drafted(), Restored()
    wanted = {key: body for key, body in bodies(text).items() if body != now.get(key)}
    for key in wanted:
        _require_within_calendar(rules[key])
    rows = {key: _own(key, wanted[key], rules[key], known=now) for key in wanted}
    for key in wanted:
        _parts(rows[key], rules[key], done)
    _needs({key: rules[key].needs for key in wanted})
    _tell(done, wanted, now, drafted())
    if only:
        gone = sorted(set(now) - set(rules))
        FlagPrerequisite.objects.filter(flag__key__in=gone).delete()
        Flag.objects.filter(key__in=gone).delete()
        done.changes += [f"delete flag {key}" for key in gone]
    return done


def _require_within_calendar(rules: Rules) -> None:
    """What no form takes either: a moment that could not be shown in every zone."""
    for moment in rules.moments:
        if not FIRST <= moment <= LAST:
            raise Malformed(f"{rules.key}: {moment_text(moment)} is on the first or last day of the calendar.")


def _tell(done: Restored, wanted: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """By what the rows say now: a document may say the same in another order or form, or more than they can."""
    for key, body in wanted.items():
        if after[key] != before.get(key):
            done.changes.append(_difference(key, before.get(key), after[key]))
        done.left_out += [
            f"flag {key}: {part[:100]!r}, which no flag has here" for part in sorted(body.keys() - after[key].keys())
        ]


def _difference(key: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> str:
    if before is None:
        return f"add flag {key}"
    return f"change flag {key}: {', '.join(sorted(part for part in after if after[part] != before.get(part)))}"


def _own(key: str, body: Mapping[str, Any], rules: Rules, known: Mapping[str, Any]) -> Flag:
    flag = Flag.objects.get(key=key) if key in known else Flag(key=key)
    flag.name, flag.purpose, flag.kind, flag.owner = (body[part] for part in ("name", "purpose", "kind", "owner"))
    flag.review_date = date.fromisoformat(body["review_date"]) if body["review_date"] else None
    flag.value_type, flag.off_value = rules.value_type, rules.off_value
    flag.is_visible_to_clients, flag.module_key = rules.visible_to_clients, rules.module
    flag.is_enabled, flag.is_killed, flag.is_archived = rules.enabled, rules.killed, rules.archived
    flag.rollout, flag.bucket_by, flag.salt = rules.rollout, rules.bucket_by, rules.salt
    flag.window_starts_at, flag.window_ends_at = rules.starts_at, rules.ends_at
    flag.allowed_sectors, flag.blocked_sectors = list(rules.allowed_sectors), list(rules.blocked_sectors)
    flag.save()
    return flag


def _parts(flag: Flag, rules: Rules, done: Restored) -> None:
    sectors: dict[tuple[Any, ...], Any] = {(code, "allow"): {} for code in rules.allowed_sectors}
    sectors |= {(code, "block"): {} for code in rules.blocked_sectors}
    _same(SectorRule, flag, sectors, lambda row: (row.prefix, row.effect), ("prefix", "effect"))
    steps = {(step.at,): {"rollout": step.rollout} for step in rules.ramp}
    _same(RampStep, flag, steps, lambda row: (row.at,), ("at",))
    _variants(flag, rules)
    overrides = {}
    for override in rules.overrides:
        target = _target(override.target, is_person=override.is_for_person)
        if target is None:
            done.left_out.append(f"flag {flag.key}: the override for {override.target}, who is not here")
            continue
        overrides[target] = {
            "value": override.is_on,
            "variant": override.variant,
            "reason": override.reason,
            "author_id": _person_by_address(override.author),
            "starts_at": override.starts_at,
            "expires_at": override.expires_at,
        }
    names = ("organisation_id", "person_id")
    _same(FlagOverride, flag, overrides, lambda row: (row.organisation_id, row.person_id), names)


def _same(
    model: type[Model],
    flag: Flag,
    wanted: Mapping[tuple[Any, ...], dict[str, Any]],
    name_of: Callable[[Any], tuple[Any, ...]],
    names: tuple[str, ...],
) -> None:
    """Leave the rows that are as wanted; change, add and delete the others. A row's name tells it from its fellows."""
    rows = {name_of(row): row for row in model._default_manager.filter(flag=flag)}
    for name in rows.keys() - wanted.keys():
        rows[name].delete()
    for name, fields in wanted.items():
        row = rows.get(name) or model(flag=flag, **dict(zip(names, name, strict=True)))
        if row.pk is None or any(getattr(row, field) != value for field, value in fields.items()):
            for field, value in fields.items():
                setattr(row, field, value)
            row.save()


def _variants(flag: Flag, rules: Rules) -> None:
    """Their order counts: where it differs, all are made anew."""
    rows = list(FlagVariant.objects.filter(flag=flag).order_by("pk"))
    if [row.name for row in rows] != [variant.name for variant in rules.variants]:
        FlagVariant.objects.filter(flag=flag).delete()
    wanted = {(variant.name,): {"value": variant.value, "weight": variant.weight} for variant in rules.variants}
    _same(FlagVariant, flag, wanted, lambda row: (row.name,), ("name",))


def _needs(wanted: Mapping[str, tuple[str, ...]]) -> None:
    """When all flags are there."""
    ids = dict(Flag.objects.values_list("key", "pk"))
    for key, needs in wanted.items():
        flag = Flag(pk=ids[key])
        _same(FlagPrerequisite, flag, {(ids[one],): {} for one in needs}, lambda row: (row.needs_id,), ("needs_id",))


def _target(public_id: str, *, is_person: bool) -> tuple[int | None, int | None] | None:
    model = get_user_model() if is_person else Organisation
    found = _by_public_id(model, public_id)
    if found is None:
        return None
    return (None, found) if is_person else (found, None)


def _by_public_id(model: Any, public_id: str) -> int | None:
    try:
        return model._default_manager.filter(public_id=public_id).values_list("pk", flat=True).first()
    except (ValueError, TypeError, ValidationError):
        return None


def _person_by_address(address: str) -> int | None:
    if not address:
        return None
    people = get_user_model()._default_manager
    return people.filter(email__iexact=address).values_list("pk", flat=True).first()
