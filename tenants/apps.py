from django.apps import AppConfig
from django.db.models.signals import post_migrate


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Organisations"

    def ready(self) -> None:
        from tenants import checks, privileges  # noqa: F401

        post_migrate.connect(privileges.apply_privileges, sender=self)
