"""What happens when a request goes wrong: an id for each request, its log lines, and the pages that show it."""

import errno
import logging
import re
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.template.loader import render_to_string
from psycopg.errors import DiskFull

from tenants import request_id
from tenants.postgresql import faults

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


@dataclass(frozen=True)
class Outage:
    """Something that passes: what to call it, what to say, and after how many seconds to try again."""

    code: str
    reason: str
    advice: str
    retry_after: int = 10


DATABASE = Outage(
    "database_unavailable",
    "The database does not answer.",
    "Nothing that was saved is lost. Wait a few seconds, then reload the page.",
)
READ_ONLY = Outage(
    "read_only",
    "MarketEdge can be read, but nothing can be changed just now.",
    "What you sent was not saved. Keep it, and try again in a few minutes.",
    retry_after=60,
)
DISK_FULL = Outage(
    "disk_full",
    "A disk of MarketEdge is full.",
    "What you sent was not saved. Those who run MarketEdge need to make room; keep what you have, and try again later.",
    retry_after=300,
)
BUSY = Outage(
    "busy", "Too many people are asking at once.", "Nothing was changed. Wait a few seconds, then try again.", 5
)


def server_error(request: HttpRequest) -> HttpResponse:
    """Tell an outage from a fault of ours; both show the incident id and nothing of what happened inside."""
    fault = sys.exc_info()[1]
    if isinstance(fault, UnreadablePostError):
        return _answer(request, 400, "Your request did not arrive whole. Check your connection and try again.")
    outage = outage_of(fault)
    if outage:
        return unavailable(request, outage)
    return _answer(request, 500, "Something went wrong on our side.", code="fault", incident=request_id.current.get())


def outage_of(fault: BaseException | None) -> Outage | None:
    """The outage behind an exception; None when it is a fault of ours."""
    if isinstance(fault, DatabaseError) and faults.is_read_only(fault):
        return READ_ONLY
    if isinstance(getattr(fault, "__cause__", None), DiskFull) or getattr(fault, "errno", None) == errno.ENOSPC:
        return DISK_FULL
    return DATABASE if isinstance(fault, (OperationalError, InterfaceError)) else None


def busy(request: HttpRequest) -> HttpResponse:
    return unavailable(request, BUSY)


def unavailable(request: HttpRequest, outage: Outage) -> HttpResponse:
    response = _answer(
        request, 503, outage.reason, code=outage.code, incident=request_id.current.get(), advice=outage.advice
    )
    response.headers["Retry-After"] = str(outage.retry_after)
    return response


def _answer(
    request: HttpRequest,
    status: int,
    reason: str,
    template: str = "",
    code: str = "",
    incident: str = "",
    advice: str = "",
) -> HttpResponse:
    """A page without session, person or database, since any of them may be what is broken; JSON below /api/."""
    if request.path_info.startswith("/api/"):
        body = {"detail": reason, "code": code, "incident": incident}
        return JsonResponse({name: value for name, value in body.items() if value}, status=status)
    context = {"reason": reason, "advice": advice, "incident": incident, "contact": settings.CONTACT}
    return HttpResponse(render_to_string(template or f"{status}.html", context), status=status)
