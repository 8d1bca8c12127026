from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class AdminConfig(DjangoAdminConfig):
    default_site = "marketedge.admin_site.PlatformAdminSite"


class MarketEdgeConfig(AppConfig):
    name = "marketedge"
    verbose_name = "MarketEdge"

    def ready(self) -> None:
        from marketedge import checks, cors  # noqa: F401
