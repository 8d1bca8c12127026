"""A copy of a flag under another key: all that it says but its overrides, and off until somebody enables it."""

from typing import Any

from modules.flags.models import Flag, FlagPrerequisite, FlagVariant, RampStep, SectorRule

COPIED = (
    "purpose",
    "kind",
    "owner",
    "review_date",
    "value_type",
    "off_value",
    "is_visible_to_clients",
    "module_key",
    "rollout",
    "bucket_by",
    "window_starts_at",
    "window_ends_at",
    "allowed_sectors",
    "blocked_sectors",
)
PARTS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (FlagVariant, ("name", "value", "weight")),
    (SectorRule, ("prefix", "effect")),
    (RampStep, ("at", "rollout")),
    (FlagPrerequisite, ("needs_id",)),
)


def copy_of(flag: Flag, key: str) -> Flag:
    """Its salt is its own, so it chooses other people than the original does at the same percentage."""
    copy = Flag(key=key, salt=key, name=f"{flag.name[:112]} (copy)", **{name: getattr(flag, name) for name in COPIED})
    copy.save(force_insert=True)
    for model, names in PARTS:
        for row in model.objects.filter(flag=flag).order_by("pk"):
            model(flag=copy, **{name: getattr(row, name) for name in names}).save(force_insert=True)
    return copy
