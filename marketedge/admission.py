"""A worker never gives its last threads to ordinary requests: those beyond get a 503 at once, and health answers.

The count is kept around the WSGI application, until the answer has left; the page is given inside (it needs an id).
"""

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.turns import CROWDED
from marketedge import incidents
from tenants.postgresql import deadline

SIGN_IN = ("/sign-in/", "/oidc/authenticate/", "/oidc/callback/")
SPARE = 2  # threads that only health and refusals use
REFUSED = "marketedge.refused"
DRAIN_SECONDS = 5.0
READ_AT_ONCE = 64 * 1024


class Admission:
    """The WSGI application, for as many requests at once as threads leave some to spare."""

    def __init__(self, application: Callable[..., Any], threads: int) -> None:
        self.application = application
        self.limit = threads - SPARE
        self.inside = 0
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not self._enter():
            return self._refuse(environ, start_response)
        try:
            answer = self.application(environ, start_response)
        except BaseException:
            self._leave()
            raise
        return _with_close(answer, lambda: self._leave_after(environ))

    def _leave_after(self, environ: dict[str, Any]) -> None:
        try:
            _read_the_rest(environ.get("wsgi.input"))
        finally:
            self._leave()

    def _refuse(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self.application({**environ, REFUSED: True}, start_response)

    def _enter(self) -> bool:
        with self._lock:
            if self.inside >= self.limit:
                return False
            self.inside += 1
            return True

    def _leave(self) -> None:
        with self._lock:
            self.inside -= 1


def _read_the_rest(body: Any) -> None:
    """Callers who are still sending when they are refused would see a broken connection instead of the answer."""
    left = 2 * settings.UPLOAD_LIMIT
    _shorten_clock(body)
    with suppress(OSError):
        while body and left > 0 and (data := body.read(READ_AT_ONCE)):
            left -= len(data)


def _shorten_clock(body: Any) -> None:
    """One read may wait for as long as the clock of the worker's socket allows (`marketedge.worker.Clocked`)."""
    unreader = getattr(getattr(body, "reader", None), "unreader", None)
    clock: Any = getattr(unreader, "sock", None)
    if hasattr(clock, "shorten"):
        clock.shorten(DRAIN_SECONDS)


class SignInAdmission(Admission):
    """Around it, for the pages of the sign-in alone: however many sign in at nine, others find a place.

    Those beyond are told to wait a moment; that takes no place, since it neither asks nor waits for anything.
    """

    def __init__(self, admission: Admission, calls: int) -> None:
        """`calls` may wait for the provider; a third as many may be on their way there or back."""
        super().__init__(admission, SPARE + calls + max(1, calls // 3))
        self.beyond = admission.application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") in SIGN_IN:
            return super().__call__(environ, start_response)
        return self.application(environ, start_response)

    def _refuse(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self.beyond({**environ, CROWDED: True}, start_response)


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
