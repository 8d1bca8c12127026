"""Pages below /o/<slug>/: the dashboard, and each registered module under its own namespace and path."""

from django.urls import URLPattern, URLResolver, include, path

from modules import registry, views

registry.require_complete()

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.dashboard, name="dashboard"),
    path("access/<slug:module_key>/", views.explain, name="explain_access"),
    *(path(f"{spec.path}/", include((spec.urls, spec.key), namespace=spec.key)) for spec in registry.all_specs()),
]
