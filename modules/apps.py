from django.apps import AppConfig

from modules import registry
from modules.flags import declared


class ModulesConfig(AppConfig):
    name = "modules"
    verbose_name = "Modules and entitlements"

    def ready(self) -> None:
        declared.tell(registry.flags_asked_for)
