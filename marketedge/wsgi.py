"""The WSGI application: complete once this module is imported, without having asked the database."""

import os

from tenants.postgresql import startup

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketedge.settings")

with startup.no_database():
    from django.core.wsgi import get_wsgi_application
    from django.urls import get_resolver

    from marketedge.hygiene import Utf8Request

    application = get_wsgi_application()
    application.request_class = Utf8Request
    # Every view is imported now, so that a broken one ends the start instead of the first request.
    get_resolver()._populate()
