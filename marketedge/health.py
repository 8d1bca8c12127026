"""Is the product alive, and is it ready? Answered ahead of everything else: no host check, session or redirect."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from modules import registry
from tenants.postgresql import privileges

logger = logging.getLogger(__name__)
DEADLINE = 2.0
CACHED_FOR = 2.0


@dataclass(frozen=True)
class Readiness:
    """`problems` maps what is wrong (database, migrations, login) to what is known of it; empty means ready."""

    problems: dict[str, str]

    @property
    def is_ready(self) -> bool:
        return not self.problems


class Prober:
    """Asks the database once for however many callers, and never lets one wait longer than the deadline."""

    def __init__(self, ask: Callable[[], Readiness]) -> None:
        self.ask = ask
        self.lock = threading.Lock()
        self.running: threading.Event | None = None
        self.answer: Readiness | None = None
        self.answered_at = 0.0

    def readiness(self) -> Readiness:
        with self.lock:
            if self.answer and time.monotonic() - self.answered_at < CACHED_FOR:
                return self.answer
            done = self.running or self._start()
        if not done.wait(DEADLINE) or self.answer is None:
            return Readiness({"database": f"no answer within {DEADLINE:g} seconds"})
        return self.answer

    def _start(self) -> threading.Event:
        self.running = done = threading.Event()
        threading.Thread(target=self._run, args=[done], name="readiness", daemon=True).start()
        return done

    def _run(self, done: threading.Event) -> None:
        answer, answered_at = Readiness({"probe": "failed; see the log"}), 0.0
        try:
            answer, answered_at = self.ask(), time.monotonic()
        except Exception:
            # The probe itself is at fault: said at once, and asked again by the next caller.
            logger.exception("The readiness probe failed")
        finally:
            with self.lock:
                self.answer, self.answered_at, self.running = answer, answered_at, None
            done.set()


def ask_database() -> Readiness:
    """Connect as the web does, on a connection of this thread's own, and close it again."""
    connection = connections.create_connection("default")
    connection.settings_dict = {**connection.settings_dict, "CONN_MAX_AGE": 0}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 2000")
            faults = privileges.faults_of_login(cursor) if connection.settings_dict["LOGIN"] == "web" else []
        if faults:
            return Readiness({"login": ", ".join(faults)})
        unapplied = _unapplied(connection)
    except DatabaseError as fault:
        return Readiness({"database": _in_one_line(fault)})
    finally:
        connection.close()
    return Readiness({"migrations": f"{len(unapplied)} not applied"} if unapplied else {})


def _unapplied(connection: Any) -> set[tuple[str, str]]:
    loader = MigrationLoader(connection)
    return set(loader.graph.nodes) - set(loader.applied_migrations)


def _in_one_line(fault: Exception) -> str:
    # The driver's words name the host and the login; those do not belong on a public page.
    return type(fault).__name__ if not settings.DEBUG else " ".join(str(fault).split())


prober = Prober(ask_database)


def live() -> HttpResponse:
    return JsonResponse({"status": "live"})


def ready() -> HttpResponse:
    readiness = prober.readiness()
    if readiness.is_ready:
        return JsonResponse({"status": "ready"})
    return JsonResponse({"status": "not ready", "problems": readiness.problems}, status=503)


def summary() -> HttpResponse:
    """What old clients read; every field is computed, and it is 200 even when something is wrong: `status` says so."""
    readiness = prober.readiness()
    return JsonResponse(
        {
            "status": "healthy" if readiness.is_ready else "degraded",
            "mode": "demonstration" if settings.DEMONSTRATION else "production",
            "version": settings.RELEASE_VERSION,
            "commit": settings.RELEASE_COMMIT,
            "timestamp": timezone.now().isoformat(),
            "database_ready": readiness.is_ready,
            "database_error": "; ".join(f"{what}: {why}" for what, why in readiness.problems.items()) or None,
            "authentication_endpoints": {
                "auth0_url": f"{settings.PUBLIC_URL}/api/v1/auth/auth0-url",
                "sign_in": f"{settings.PUBLIC_URL}/sign-in/",
            },
            "cors_status": "configured" if settings.CORS_ALLOWED_ORIGINS else "no origin allowed",
            "allowed_origins": settings.CORS_ALLOWED_ORIGINS,
            "modules": [spec.key for spec in registry.all_specs()],
        }
    )


ANSWERS = {"/healthz/live": live, "/healthz/ready": ready, "/health": summary}


class HealthMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = ANSWERS.get(request.path_info)
        if answer is None or request.method not in {"GET", "HEAD"}:
            return self.get_response(request)
        response = answer()
        response.headers["Cache-Control"] = "no-store"
        return response
