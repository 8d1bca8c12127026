from django.apps import AppConfig


class ModulesConfig(AppConfig):
    name = "modules"
    verbose_name = "Modules and entitlements"

    def ready(self) -> None:
        from modules.flags import population

        population.modules_told_by("modules.access.available_modules")
