"""Addresses of the API about a person in an organisation. Those about an analytics module are the module's own."""

from django.urls import path

from modules import api

urlpatterns = [
    path("auth/me", api.me, name="api_me"),
    path("organisations/<str:organisation>/me", api.me, name="api_me_in_organisation"),
]
