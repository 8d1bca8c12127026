"""As breaking_urls, where the page for a fault fails itself."""

from tests.marketedge.breaking_urls import fails_as_well, urlpatterns

__all__ = ["urlpatterns"]
handler500 = fails_as_well
