"""The admin site works across organisations: its requests run in the platform scope, for staff only."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from tenants import scope


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
