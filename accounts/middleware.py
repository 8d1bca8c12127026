"""What requests need to know of people: the admin site's scope, for staff only, and that a session is in use."""

import logging
from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.urls import reverse

from accounts import kept_forms
from accounts.sessions import SessionStore
from accounts.turns import CROWDED, waiting
from tenants import scope

logger = logging.getLogger(__name__)


class CrowdMiddleware:
    """Tells those to wait whom the server has found to be too many at the sign-in, before anything else is asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return waiting(request) if request.META.get(CROWDED) else self.get_response(request)


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
            except (DatabaseError, InterfaceError):
                # The page is there, and reading goes on where nothing can be written: at worst the session ends early.
                logger.warning("A visit could not be noted", exc_info=True)
        return response


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Leads to the sign-in, keeping what was typed into a form by somebody whose session has ended meanwhile."""

    def process_view(self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any) -> Any:
        if hasattr(request, "caller"):
            # The API's door knows who calls; with a client token that is an organisation, and nobody has signed in.
            return None
        if request.method == "POST" and request.user.is_authenticated and kept_forms.SENT in request.POST:
            kept_forms.forget(request, request.POST[kept_forms.SENT])
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> Any:
        if request.method != "POST":
            return super().handle_no_permission(request, view_func)
        sign_in = resolve_url(self.get_login_url(view_func))
        if key := kept_forms.keep(request):
            return redirect_to_login(reverse("kept_form", args=[key]), sign_in)
        # Where a form goes to is often no page that can be opened again.
        page = kept_forms.page_of(request) or request.get_full_path()
        return redirect_to_login(page, f"{sign_in}?form=lost" if kept_forms.has_text(request) else sign_in)


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
