from django.apps import AppConfig


class FlagsConfig(AppConfig):
    name = "modules.flags"
    verbose_name = "Feature flags"
