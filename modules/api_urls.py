"""Addresses of the API about a person in an organisation. Those about an analytics module are the module's own."""

from django.urls import path

from modules import api
from modules.flags import api as flags_api

urlpatterns = [
    path("auth/me", api.me, name="api_me"),
    path("flags", flags_api.flags, name="api_flags"),
    path("flags/", flags_api.flags, name="api_flags_with_slash"),
    path("organisations/<str:organisation>/me", api.me, name="api_me_in_organisation"),
]
