"""What requests need to know of people: the admin site's scope, for staff only, and that a session is in use."""

import logging
from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.sessions import SessionStore
from tenants import scope

logger = logging.getLogger(__name__)


class SessionVisitMiddleware:
    """Keeps the sessions of those who are at work from ending for idleness."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        session = request.session
        if isinstance(session, SessionStore) and session.session_key and session.accessed and not session.modified:
            try:
                session.note_visit()
            except DatabaseError:
                # The page is there, and reading goes on where nothing can be written: at worst the session ends early.
                logger.warning("A visit could not be noted", exc_info=True)
        return response


class PlatformScopeMiddleware:
    """The scope begins when the person is known to be staff, and ends before the answer leaves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(reverse("admin:index")):
            return self.get_response(request)
        if not (request.user.is_authenticated and request.user.is_active and request.user.is_staff):
            return self.get_response(request)
        with scope.platform():
            return self.get_response(request)
