"""The flags that every installation starts with, where their module is installed."""

from dataclasses import dataclass
from typing import Any

from modules.flags import actions
from modules.flags.models import FULL_ROLLOUT, Flag


@dataclass(frozen=True)
class ReferenceFlag:
    key: str
    name: str
    is_enabled: bool
    rollout: int
    sectors: tuple[str, ...] = ()
    module_key: str = ""


REFERENCE_FLAGS = (
    ReferenceFlag("market_edge_v2", "Market Edge, second version", True, FULL_ROLLOUT, module_key="market_edge_core"),
    ReferenceFlag(
        "advanced_pricing_analytics",
        "Advanced pricing analytics",
        False,
        25_000,
        ("59140", "55100"),
        "pricing_intelligence",
    ),
    ReferenceFlag(
        "sector_specific_insights", "Sector-specific insights", True, 50_000, ("59140", "55100", "93130", "47520")
    ),
    ReferenceFlag("real_time_monitoring", "Real-time monitoring", False, 10_000, module_key="alert_system"),
    ReferenceFlag("export_functionality", "Export", True, FULL_ROLLOUT),
)


# What a flag of the reference is when nobody has touched it.
FIELDS = ("name", "is_enabled", "is_killed", "is_archived", "rollout", "allowed_sectors", "module_key")


def load_reference_flags(known_modules: set[str], *, by: Any = None, reason: str = "reference data") -> list[str]:
    """Add the flags that are missing and whose module is known; returns what was added. Needs platform scope."""
    there = set(Flag.objects.values_list("key", flat=True))
    missing = [flag for flag in _wanted(known_modules) if flag.key not in there]
    for flag in missing:
        actions.save_flag(_flag(flag), by=by, reason=reason, allowed_sectors=flag.sectors)
    return [f"flag {flag.key}" for flag in missing]


def drift(known_modules: set[str]) -> list[str]:
    """Where the flags that are there differ from the reference: one sentence for each."""
    rows = {flag.key: flag for flag in Flag.objects.all()}
    wanted = [flag for flag in _wanted(known_modules) if flag.key in rows]
    return [words for flag in wanted for words in differences(f"flag {flag.key}", rows[flag.key], _flag(flag), FIELDS)]


def differences(words: str, row: Any, reference: Any, fields: tuple[str, ...]) -> list[str]:
    """In which of the fields, and how, the row differs from the reference."""
    pairs = [(name, getattr(row, name), getattr(reference, name)) for name in fields]
    return [
        f"{words}: {name} is {is_there!r}, the reference has {wanted!r}"
        for name, is_there, wanted in pairs
        if is_there != wanted
    ]


def _wanted(known_modules: set[str]) -> list[ReferenceFlag]:
    return [flag for flag in REFERENCE_FLAGS if not flag.module_key or flag.module_key in known_modules]


def _flag(reference: ReferenceFlag) -> Flag:
    return Flag(
        key=reference.key,
        name=reference.name,
        is_enabled=reference.is_enabled,
        rollout=reference.rollout,
        allowed_sectors=list(reference.sectors),
        module_key=reference.module_key,
    )
