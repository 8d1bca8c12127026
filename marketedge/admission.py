"""A worker never gives its last threads to ordinary requests: those beyond get a 503 at once, and health answers.

The count is kept around the WSGI application, until the answer has left; the page is given inside (it needs an id).
"""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from marketedge import incidents
from tenants.postgresql import deadline

SPARE = 2  # threads that only health and refusals use
REFUSED = "marketedge.refused"


class Admission:
    """The WSGI application, for as many requests at once as threads leave some to spare."""

    def __init__(self, application: Callable[..., Any], threads: int) -> None:
        self.application = application
        self.limit = threads - SPARE
        self.inside = 0
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not self._enter():
            return self.application({**environ, REFUSED: True}, start_response)
        try:
            answer = self.application(environ, start_response)
        except BaseException:
            self._leave()
            raise
        return _with_close(answer, self._leave)

    def _enter(self) -> bool:
        with self._lock:
            if self.inside >= self.limit:
                return False
            self.inside += 1
            return True

    def _leave(self) -> None:
        with self._lock:
            self.inside -= 1


def _with_close(answer: Any, afterwards: Callable[[], None]) -> Any:
    """Servers close every answer when it has been sent or its reader is gone."""
    close = answer.close

    def close_both() -> None:
        try:
            close()
        finally:
            afterwards()

    answer.close = close_both
    return answer


class AdmissionMiddleware:
    """Says so to those who are too many, and gives the others a total time for the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.META.get(REFUSED):
            return incidents.busy(request)
        with deadline.within(settings.REQUEST_DEADLINE):
            return self.get_response(request)
