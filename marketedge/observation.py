"""Around each request: its incident id, its line in the log, its share of the metrics, and a last answer to faults."""

import logging
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from marketedge import cors, incidents, metrics, visits
from marketedge.admission import REFUSED
from marketedge.visits import Visit
from tenants import request_id
from tenants.postgresql import waits

logger = logging.getLogger("marketedge.request")


class ObservationMiddleware:
    """The outermost: whatever else answers or fails is inside."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        metrics.listen_to_database()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        visit = Visit(request, incidents.callers_id(request))
        visit.leave = entered(visit)
        try:
            response = self._answer(request)
        except BaseException:
            # A worker that is being ended, say: nobody gets an answer.
            visit.has_broken_off = True
            over(visit, 500)
            raise
        response.headers["X-Request-ID"] = visit.incident
        if response.streaming:
            response.streaming_content = watched(visit, response.streaming_content)  # type: ignore[attr-defined]
        response._resource_closers.append(lambda: over(visit, response.status_code))  # type: ignore[attr-defined]
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except Exception:
            logger.exception("The page for a fault failed itself")
            return incidents.last_resort(request.path_info)


class LastResort:
    """The WSGI application, with an answer even to what fails before or after everything of Django's."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            return self.application(environ, start_response)
        except Exception:
            return self._answer(environ, start_response)

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        visit = visits.current.get()
        if visit is None:
            request_id.current.set(uuid.uuid4().hex)
        logger.exception("A request failed outside of the product")
        response = incidents.last_resort(environ.get("PATH_INFO", ""))
        if visit is not None:
            over(visit, 500)
        request_id.current.set("")
        headers = {**dict(response.items()), **cors.of_last_resort(environ)}
        start_response("500 Internal Server Error", list(headers.items()), sys.exc_info())
        return [response.content]


def entered(visit: Visit) -> Callable[[], None]:
    """From here on log lines and audit events belong to the visit, until what is returned is called."""
    visits.current.set(visit)
    request_id.current.set(visit.incident)
    waits.spent.set(visit.spent)
    if metrics.are_kept():
        metrics.instruments().in_progress.inc()

    def leave() -> None:
        if metrics.are_kept():
            metrics.instruments().in_progress.dec()
        # Nothing, and not what was before: a thread answers one request at a time.
        visits.current.set(None)
        request_id.current.set("")
        waits.spent.set(None)

    return leave


def watched(visit: Visit, parts: Iterable[bytes]) -> Iterator[bytes]:
    """The parts of an answer that is made while it is sent: its beginning has left, and only the log can say more."""
    try:
        yield from parts
    except Exception:
        visit.has_broken_off = True
        logger.exception("The answer broke off while it was sent")
        raise


def over(visit: Visit, status: int) -> None:
    """The answer has left, or never will."""
    try:
        seconds, route = visit.seconds, visit.route
        write_line(visit, status, seconds, route)
        if metrics.are_kept():
            count(visit, status, seconds, route)
    finally:
        leave, visit.leave = visit.leave, lambda: None
        leave()


def write_line(visit: Visit, status: int, seconds: float, route: str) -> None:
    is_fault = status >= 500 or visit.has_broken_off
    is_wanted = settings.REQUEST_LOG and not (visit.is_probe and status < 400)
    if not (is_fault or is_wanted):
        return
    fields: dict[str, Any] = {
        "method": visit.method,
        "route": route,
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
        "database_milliseconds": round(visit.spent.seconds * 1000, 1),
        "statements": visit.spent.statements,
    }
    if visit.has_broken_off:
        fields["has_broken_off"] = True
    logger.log(logging.WARNING if is_fault else logging.INFO, in_words(fields), extra=fields)


def in_words(fields: dict[str, Any]) -> str:
    counted = f"{fields['statements']} statement{'' if fields['statements'] == 1 else 's'}"
    database = f", {fields['database_milliseconds']:g} ms of them for {counted}"
    end = ", broke off" if "has_broken_off" in fields else ""
    said = f"{fields['method']} {fields['route']} {fields['status']}{end} in {fields['milliseconds']:g} ms"
    return said + (database if fields["statements"] else "")


def count(visit: Visit, status: int, seconds: float, route: str) -> None:
    kept = metrics.instruments()
    status_class = "broken_off" if visit.has_broken_off else f"{status // 100}xx"
    kept.requests.labels(visit.method, route, status_class).observe(seconds)
    if visit.request.META.get(REFUSED):
        kept.refused.inc()
