"""What every installation starts with: a catalogue line for each registered module, and the reference flags."""

from typing import Any

from modules import actions, registry
from modules.flags import reference as flags
from modules.models import AnalyticsModule


def load(*, by: Any = None) -> list[str]:
    """Add what is missing and leave the rest as people have set it; returns what was added. Needs platform scope."""
    keys = {spec.key for spec in registry.all_specs()}
    return [*_add_modules(keys, by=by), *flags.load_reference_flags(keys, by=by)]


def _add_modules(keys: set[str], *, by: Any) -> list[str]:
    known = set(AnalyticsModule.objects.values_list("key", flat=True))
    missing = [spec for spec in registry.all_specs() if spec.key in keys - known]
    for spec in missing:
        actions.save_module(_line(spec), by=by, reason="reference data")
    return [f"module {spec.key}" for spec in missing]


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
