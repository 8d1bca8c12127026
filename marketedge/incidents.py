"""What happens when a request goes wrong: an id for each request, its log lines, and the pages that show it."""

import logging
import re
import sys
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from tenants import request_id

_SAFE_ID = re.compile(r"^[A-Za-z0-9-]{8,64}$")


class RequestIdMiddleware:
    """Gives each request an id, which its log lines, audit events and error pages carry."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        token = request_id.current.set(given if _SAFE_ID.match(given) else uuid.uuid4().hex)
        try:
            response = self.get_response(request)
            response.headers["X-Request-ID"] = request_id.current.get()
            return response
        finally:
            request_id.current.reset(token)


class RequestLogFilter(logging.Filter):
    """Puts the request's id into every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.current.get() or "-"
        return True


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 400, "That request could not be read. Go back and try again.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    reason = str(exception) or "You are not allowed to do this."
    return _answer(request, 403, reason)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    # The same words whatever is missing: nobody learns whether it exists elsewhere.
    return _answer(request, 404, "There is nothing at this address.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _answer(request, 403, "This form is too old. Go back, reload the page and try again.", "403_csrf.html")


def server_error(request: HttpRequest) -> HttpResponse:
    """Tell a fault of the database from one of ours; both show the incident id and nothing else."""
    fault = sys.exc_info()[1]
    if isinstance(fault, (OperationalError, InterfaceError)):
        return unavailable(request)
    return _answer(request, 500, "Something went wrong on our side.", incident=request_id.current.get())


def unavailable(request: HttpRequest) -> HttpResponse:
    response = _answer(request, 503, "The database does not answer.", incident=request_id.current.get())
    response.headers["Retry-After"] = "10"
    return response


def _answer(request: HttpRequest, status: int, reason: str, template: str = "", incident: str = "") -> HttpResponse:
    """A page without session, person or database, since any of them may be what is broken; JSON below /api/."""
    if request.path_info.startswith("/api/"):
        body: dict[str, Any] = {"detail": reason, **({"incident": incident} if incident else {})}
        return JsonResponse(body, status=status)
    context = {"reason": reason, "incident": incident, "contact": settings.CONTACT}
    return HttpResponse(render_to_string(template or f"{status}.html", context), status=status)
