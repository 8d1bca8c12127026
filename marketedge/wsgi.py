"""The web application, complete before the port opens: every import and the whole URL map, and no database contact."""

import os

from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from tenants.postgresql import startup

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketedge.settings")


def load() -> WSGIHandler:
    with startup.no_database():
        application = get_wsgi_application()
        get_resolver().reverse_dict  # noqa: B018 (reads the whole URL map)
    return application


application = load()
