"""Which analytics modules does the code bring? Filled in each `AppConfig.ready()`; no database, no I/O."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True)
class Page:
    """One entry of a module's navigation, for those with `role`; `view` is the name of its URL within the module."""

    label: str
    view: str
    role: str = "viewer"


@dataclass(frozen=True, kw_only=True)
class ModuleSpec:
    """What an analytics module says of itself.

    `plan` and `role` are the least that it asks for. `configuration` maps each option's name to a function that
    returns the checked value or raises ValueError with the reason. `flag` opens the module; `flags` are others that its
    code asks for. The last two are dotted paths of functions that are
    imported only when they are called: `demonstration` (organisation, by) fills a demonstration organisation and
    returns whether it did, `over` (at) says which rows of the module may be deleted, as QuerySets by words for them.
    """

    key: str
    name: str
    description: str
    application: str
    version: str
    urls: str
    plan: str = "basic"
    role: str = "viewer"
    is_core: bool = False
    status: str = "active"
    dependencies: tuple[str, ...] = ()
    flag: str = ""
    flags: tuple[str, ...] = ()
    pages: tuple[Page, ...] = ()
    configuration: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    demonstration: str = ""
    over: str = ""

    @property
    def path(self) -> str:
        return self.key.replace("_", "-")


_specs: dict[str, ModuleSpec] = {}


def register(spec: ModuleSpec) -> None:
    """Make the module known; ImproperlyConfigured when its key or its path is taken."""
    for known in _specs.values():
        if known.key == spec.key or known.path == spec.path:
            raise ImproperlyConfigured(f"Two analytics modules are called {spec.key}: rename one of them.")
    _specs[spec.key] = spec


def get(key: str) -> ModuleSpec | None:
    return _specs.get(key)


def all_specs() -> list[ModuleSpec]:
    """Every registered module, in the order of registration."""
    return list(_specs.values())


def flags_asked_for() -> dict[str, str]:
    """The keys of flags that modules ask for, with who asks."""
    inside = {key: f"asked for by the module {spec.key}" for spec in _specs.values() for key in spec.flags}
    return inside | {spec.flag: f"opens the module {spec.key}" for spec in _specs.values() if spec.flag}


def require_complete() -> None:
    """Raise ImproperlyConfigured when a module depends on one that is not installed, or on itself by a circle."""
    for spec in _specs.values():
        for dependency in spec.dependencies:
            if dependency not in _specs:
                raise ImproperlyConfigured(
                    f"{spec.key} depends on {dependency}, which is not installed: add it to INSTALLED_APPS."
                )
        if spec.key in _reachable_from(spec):
            raise ImproperlyConfigured(f"{spec.key} depends on itself through its dependencies.")


def _reachable_from(spec: ModuleSpec) -> set[str]:
    reached: set[str] = set()
    waiting = list(spec.dependencies)
    while waiting:
        key = waiting.pop()
        if key not in reached and key in _specs:
            reached.add(key)
            waiting.extend(_specs[key].dependencies)
    return reached
