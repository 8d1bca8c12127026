from django.apps import AppConfig

from modules import registry
from modules.flags import declared


class ModulesConfig(AppConfig):
    name = "modules"
    verbose_name = "Modules and entitlements"

    def ready(self) -> None:
        from modules import checks  # noqa: F401 (registers them)
        from modules.flags import population

        declared.tell(registry.flags_asked_for)
        population.modules_told_by("modules.access.available_modules", keys="modules.access.catalogue_keys")
