"""The WSGI application: complete once this module is imported, without having asked the database."""

import os

from marketedge import loading

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketedge.settings")

try:
    _product = loading.load()
except loading.CannotLoad as problem:
    loading.say_and_exit(problem, code=1)

from django.conf import settings

from marketedge.admission import Admission, SignInAdmission
from marketedge.observation import LastResort

_admitted = SignInAdmission(Admission(_product, settings.WEB_THREADS), settings.OIDC_CALLS_AT_ONCE)
application = LastResort(_admitted)
