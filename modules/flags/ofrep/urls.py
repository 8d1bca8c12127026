from django.urls import path, register_converter
from django.urls.converters import StringConverter

from modules.flags.ofrep import views


class AnyKey(StringConverter):
    """Whatever somebody takes for a key, slashes and line breaks included: the view says that there is no such flag."""

    regex = "(?s:.+)"


register_converter(AnyKey, "any_key")

urlpatterns = [
    path("v1/evaluate/flags", views.all_of_them, name="ofrep_all"),
    path("v1/evaluate/flags/<any_key:key>", views.one, name="ofrep_one"),
]
