"""What the rows of flags say now, as a release's document. Seven queries, however many flags there are."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from modules.flags.document import FORMAT, canonical, moment_text
from modules.flags.models import Flag, FlagOverride, FlagPrerequisite, FlagVariant, RampStep, SectorRule


def draft() -> str:
    """The document of all flags, in its canonical form."""
    return canonical({"format": FORMAT, "flags": bodies()})


def bodies(*keys: str) -> dict[str, Any]:
    """The bodies of these flags, or of all."""
    flags = Flag.objects.filter(key__in=keys) if keys else Flag.objects.all()
    flags = flags.order_by("key")
    ids = [flag.pk for flag in flags]
    mine = {"flag_id__in": ids} if keys else {}
    parts = _Parts(mine)
    return {flag.key: {**_own(flag), **parts.of(flag.pk)} for flag in flags}


def _own(flag: Flag) -> dict[str, Any]:
    return {
        "name": flag.name,
        "purpose": flag.purpose,
        "kind": flag.kind,
        "owner": flag.owner,
        "review_date": flag.review_date.isoformat() if flag.review_date else None,
        "value_type": flag.value_type,
        "off_value": flag.off_value,
        "visible_to_clients": flag.is_visible_to_clients,
        "module": flag.module_key,
        "enabled": flag.is_enabled,
        "killed": flag.is_killed,
        "archived": flag.is_archived,
        "rollout": flag.rollout,
        "bucket_by": flag.bucket_by,
        "salt": flag.salt,
        "hash_version": flag.hash_version,
        "starts_at": moment_text(flag.window_starts_at),
        "ends_at": moment_text(flag.window_ends_at),
    }


class _Parts:
    """What belongs to flags, by flag."""

    def __init__(self, mine: dict[str, Any]) -> None:
        sectors = SectorRule.objects.filter(**mine).order_by("prefix")
        self.allowed = _by_flag((row for row in sectors if row.effect == "allow"), lambda row: row.prefix)
        self.blocked = _by_flag((row for row in sectors if row.effect == "block"), lambda row: row.prefix)
        needs = FlagPrerequisite.objects.filter(**mine).select_related("needs").order_by("needs__key")
        self.needs = _by_flag(needs, lambda row: row.needs.key)
        self.variants = _by_flag(FlagVariant.objects.filter(**mine).order_by("pk"), _variant)
        self.ramp = _by_flag(RampStep.objects.filter(**mine).order_by("at"), _step)
        overrides = FlagOverride.objects.filter(**mine).select_related("organisation", "person", "author")
        self.overrides = _by_flag(overrides.order_by("pk"), _override)

    def of(self, pk: int) -> dict[str, Any]:
        return {
            "allowed_sectors": self.allowed[pk],
            "blocked_sectors": self.blocked[pk],
            "needs": self.needs[pk],
            "variants": self.variants[pk],
            "ramp": self.ramp[pk],
            "overrides": sorted(self.overrides[pk], key=lambda one: sorted(one["target"].items())),
        }


def _by_flag(rows: Iterable[Any], said: Callable[[Any], Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.flag_id].append(said(row))
    return found


def _variant(row: FlagVariant) -> dict[str, Any]:
    return {"name": row.name, "value": row.value, "weight": row.weight}


def _step(row: RampStep) -> dict[str, Any]:
    return {"at": moment_text(row.at), "rollout": row.rollout}


def _override(row: FlagOverride) -> dict[str, Any]:
    return {
        "target": {"person": str(row.person.public_id)}
        if row.person
        else {"organisation": str(row.organisation.public_id)},  # type: ignore[union-attr]
        "on": row.value,
        "variant": row.variant,
        "reason": row.reason,
        "author": row.author.email if row.author else "",
        "starts_at": moment_text(row.starts_at),
        "expires_at": moment_text(row.expires_at),
    }
