"""What every installation starts with: a catalogue line for each registered module, and the reference flags."""

from typing import Any

from django.db import connection, transaction

from modules import actions, registry
from modules.flags import reference as flags
from modules.flags.releases import is_published, publish
from modules.models import AnalyticsModule

REASON = "reference data"

# What people may change in the catalogue afterwards; a module's key and application are the code's.
CATALOGUE_FIELDS = ("name", "description", "status", "plan", "is_core")


def load(*, by: Any = None, reason: str = REASON) -> list[str]:
    """Add what is missing and leave the rest as people have set it; returns what was added. Needs platform scope."""
    with transaction.atomic():
        _wait_for_other_loads()
        keys = {spec.key for spec in registry.all_specs()}
        added = _add_modules(keys, by=by, reason=reason)
        added += flags.load_reference_flags(keys, by=by, reason=reason)
        # What the release before changed while both served, which published nothing.
        number = publish(by=by, reason=reason) if not is_published() else None
        return [*added, f"release {number} of the flags, as their tables say"] if number else added


def drift() -> list[str]:
    """Where what is there differs from the reference, which is people's choice; one sentence for each."""
    keys = {spec.key for spec in registry.all_specs()}
    return [*_module_drift(), *flags.drift(keys)]


def _wait_for_other_loads() -> None:
    """Until the transaction ends: two that run at once would both add what is missing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('reference data', 0))")


def _add_modules(keys: set[str], *, by: Any, reason: str) -> list[str]:
    known = set(AnalyticsModule.objects.values_list("key", flat=True))
    missing = [spec for spec in registry.all_specs() if spec.key in keys - known]
    for spec in missing:
        actions.save_module(_line(spec), by=by, reason=reason)
    return [f"module {spec.key}" for spec in missing]


def _module_drift() -> list[str]:
    told = []
    for row in AnalyticsModule.objects.order_by("key"):
        spec = registry.get(row.key)
        if spec is None:
            told.append(f"module {row.key} is in the catalogue, and no code brings it")
            continue
        reference = _line(spec)
        told += flags.differences(f"module {row.key}", row, reference, CATALOGUE_FIELDS)
    return told


def _line(spec: registry.ModuleSpec) -> AnalyticsModule:
    return AnalyticsModule(
        key=spec.key,
        name=spec.name,
        description=spec.description,
        application=spec.application,
        status=spec.status,
        plan=spec.plan,
        is_core=spec.is_core,
    )
