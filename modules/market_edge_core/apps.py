from django.apps import AppConfig

from modules import registry


class MarketEdgeCoreConfig(AppConfig):
    name = "modules.market_edge_core"
    verbose_name = "Market Edge"

    def ready(self) -> None:
        registry.register(
            registry.ModuleSpec(
                key="market_edge_core",
                name="Market prices",
                description="Load competitors' prices and see how each market is priced.",
                application="market_edge",
                version="1.0.0",
                urls="modules.market_edge_core.urls",
                is_core=True,
                flag="market_edge_v2",
                pages=(registry.Page("Markets", "markets"), registry.Page("Load prices", "load", role="analyst")),
                demonstration="modules.market_edge_core.demonstration.load",
                over="modules.market_edge_core.cleaning.over",
            )
        )
