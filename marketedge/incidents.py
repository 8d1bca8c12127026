"""What people and programs are told when a request goes wrong: an incident id and what to do, not what failed."""

import errno
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.shortcuts import redirect
from django.template.loader import render_to_string
from psycopg.errors import DiskFull

from accounts import kept_forms
from tenants import api, request_id
from tenants.postgresql import faults

_SAFE_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


def callers_id(request: HttpRequest) -> str:
    """What the caller calls this request, when it is harmless; it never stands in for our own id.

    Two requests may come with the same: a caller who repeats or copies one must not lead us to another's log lines.
    """
    given = request.headers.get("X-Request-ID", "")
    return given if _SAFE_ID.fullmatch(given) else ""


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return _answer(request, 413, "That was too much at once.", "413.html", code="too_large")
    if isinstance(exception, SessionInterrupted):
        words = "You were signed out while this was under way. Sign in, and look whether it was done."
        return _answer(request, 400, words, "400_session.html", code="session_ended")
    return _answer(request, 400, "That request could not be read. Go back and try again.", code="malformed")


class WrongMethodMiddleware:
    """Who opens the address that a button sends to, by hand or by reloading, is told so: Django shows a blank page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 405 and not api.is_api(request) and not response.content:
            response.content = render_to_string("405.html", {"contact": settings.CONTACT})
        return response


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    reason = str(exception) or "You are not allowed to do this."
    return _answer(request, 403, reason, code="forbidden")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    # The same words whatever is missing: nobody learns whether it exists elsewhere.
    return _answer(request, 404, "There is nothing at this address.", code="not_found")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    if api.is_api(request):
        words = "A call by session needs the token of a page in X-CSRF-Token, and to come from this site."
        return _answer(request, 403, words, code="csrf")
    if key := kept_forms.keep_outdated(request):
        return redirect("kept_form", key)
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
        return _answer(
            request, 400, "Your request did not arrive whole. Check your connection and try again.", code="incomplete"
        )
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
    """A page that was only asked for comes again by itself."""
    response = unavailable(request, BUSY)
    if request.method == "GET":
        response.headers["Refresh"] = str(BUSY.retry_after)
    return response


def unavailable(request: HttpRequest, outage: Outage) -> HttpResponse:
    response = _answer(
        request, 503, outage.reason, code=outage.code, incident=request_id.current.get(), advice=outage.advice
    )
    response.headers["Retry-After"] = str(outage.retry_after)
    return response


def last_resort(path: str) -> HttpResponse:
    """When the page for a fault failed too: a few words that need nothing of ours."""
    incident, reason = request_id.current.get(), "Something went wrong on our side."
    headers = {"X-Request-ID": incident}
    if api.is_for_programs(path):
        return api.error(path, 500, "fault", reason, incident=incident, headers=headers)
    said = f"{reason} Incident id: {incident}\n"
    return HttpResponse(said, content_type="text/plain; charset=utf-8", status=500, headers=headers)


def _answer(
    request: HttpRequest,
    status: int,
    reason: str,
    template: str = "",
    code: str = "",
    incident: str = "",
    advice: str = "",
) -> HttpResponse:
    """A page without session, person or database, since any of them may be what is broken; JSON for programs."""
    if api.is_api(request):
        return api.error(request.path_info, status, code, f"{reason} {advice}".strip(), incident=incident)
    context = {"reason": reason, "advice": advice, "incident": incident, "contact": settings.CONTACT}
    return HttpResponse(render_to_string(template or f"{status}.html", context), status=status)
