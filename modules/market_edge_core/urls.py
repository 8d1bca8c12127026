"""Addresses of the module, below /o/<slug>/market-edge-core/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
