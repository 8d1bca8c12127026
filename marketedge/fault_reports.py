"""Sends faults to Sentry where SENTRY_DSN names a project: in the background, without persons, values or secrets.

The library is not imported otherwise, and none of its integrations is used: they sit around every request. What is
reported is what the log has with a traceback at level ERROR, each fault at most once a minute from each worker.
"""

import logging
import threading
import time
from types import TracebackType
from typing import Any

from django.conf import settings

from marketedge import visits
from tenants.redaction import anonymise_value

PAUSE = 60.0  # seconds in which the same fault is not reported again
MOST_KEPT = 500  # faults that are remembered for that
TIMEOUT = 5  # seconds for one attempt to send
LAST_CHANCE = 1.0  # seconds that an ending worker gives to what is not sent yet
_is_on = False


def begin() -> None:
    """Called in a worker, after the fork: the library's thread would not survive one."""
    global _is_on
    import sentry_sdk
    from sentry_sdk.transport import HttpTransport

    class Transport(HttpTransport):
        TIMEOUT = TIMEOUT

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=f"marketedge@{settings.RELEASE_VERSION}+{settings.RELEASE_COMMIT}",
        environment="demonstration" if settings.DEMONSTRATION else "production",
        server_name="marketedge",
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        enable_backpressure_handling=False,
        send_default_pii=False,
        send_client_reports=False,
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        spotlight=False,
        before_send=before_send,
        transport=Transport,
    )
    logging.getLogger().addHandler(Reporter())
    _is_on = True


def end() -> None:
    """The worker is ending: what waits is sent, if that is quick."""
    if _is_on:
        import sentry_sdk

        sentry_sdk.flush(timeout=LAST_CHANCE)


def before_send(event: Any, hint: dict[str, Any]) -> Any:
    """Everything through the redaction of the log; the rows that PostgreSQL quotes are left out."""
    for exception in event.get("exception", {}).get("values", []):
        exception["value"] = str(exception.get("value") or "").partition("\nDETAIL:")[0]
    return anonymise_value("event", event)


class Reporter(logging.Handler):
    """Hands faults to the library, which puts them into a queue; a full one drops them."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.throttle = Throttle()

    def emit(self, record: logging.LogRecord) -> None:
        fault = getattr(record, "fault", None)
        # What Django calls suspicious (a host name that is not ours, say) is the caller's fault, and in the log.
        if fault is None or record.name.startswith("django.security"):
            return
        if not self.throttle.lets_through(place_of(fault), at=time.monotonic()):
            return
        try:
            report(fault, record)
        except Exception:
            self.handleError(record)


class Throttle:
    """Lets one thing through in so many seconds; a database that is away must not become a flood of reports."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._let_through: dict[Any, float] = {}

    def lets_through(self, what: Any, *, at: float) -> bool:
        with self._lock:
            if at - self._let_through.get(what, float("-inf")) < PAUSE:
                return False
            if len(self._let_through) >= MOST_KEPT:
                self._let_through.clear()
            self._let_through[what] = at
            return True


def report(fault: BaseException, record: logging.LogRecord) -> None:
    import sentry_sdk
    from sentry_sdk.utils import event_from_exception

    options = sentry_sdk.get_client().options
    event, hint = event_from_exception(fault, client_options=options, mechanism={"type": "log", "handled": True})
    visit = visits.current.get()
    known = {**visits.whereabouts(), "route": visit.route if visit else None}
    # Who it was stays here: the log line has the person under the same incident id.
    event["tags"] = {name: value for name, value in known.items() if value and name != "person"}
    event.update(level="error", logger=record.name, message=record.getMessage())  # type: ignore[call-arg]
    if visit:
        event["transaction"] = visit.route
    sentry_sdk.capture_event(event, hint)


def place_of(fault: BaseException) -> tuple[Any, ...]:
    """What makes two faults the same: their kind, and the line that raised them."""
    trace: TracebackType | None = fault.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = (trace.tb_frame.f_code.co_filename, trace.tb_lineno) if trace else ()
    return (type(fault), *where)
