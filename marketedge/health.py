"""Is the product alive, started, ready? Answered ahead of everything else: no host check, session or redirect."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone

from marketedge.phases import phases, seconds_since_start
from marketedge.readiness import Readiness, prober
from modules import registry
from modules.flags import watching as flags


def live() -> HttpResponse:
    """From the process alone: a host restarts what does not answer this."""
    return JsonResponse({"status": "live"})


def startup() -> HttpResponse:
    """The phases of the start. Once all are over it stays 200, whatever happens later: that is for ready to say."""
    readiness = prober.answer() if phases.missing else Readiness({})
    missing = phases.missing
    told = {
        "status": "starting" if missing else "started",
        "phases": phases.told(),
        "missing": missing,
        "problems": readiness.problems,
        "flags": _flags(),
        "process_seconds": seconds_since_start(),
    }
    return JsonResponse(told, status=503 if missing else 200)


def ready() -> HttpResponse:
    """Only what nothing works without; a host sends no requests where this is 503."""
    readiness = prober.answer()
    if readiness.is_ready:
        return JsonResponse({"status": "ready", "warnings": readiness.warnings})
    return JsonResponse({"status": "not ready", "problems": readiness.problems}, status=503)


def summary() -> HttpResponse:
    """What people and old clients read; it is 200 even when something is wrong: `status` says so."""
    readiness = prober.answer()
    return JsonResponse(
        {
            "status": _status(readiness),
            "mode": "demonstration" if settings.DEMONSTRATION else "production",
            "version": settings.RELEASE_VERSION,
            "commit": settings.RELEASE_COMMIT,
            "timestamp": timezone.now().isoformat(),
            "database_ready": readiness.is_ready,
            "database_error": readiness.in_words,
            "warnings": readiness.warnings,
            "authentication_endpoints": {
                "auth0_url": settings.PUBLIC_URL + reverse("auth0_url"),
                "sign_in": settings.PUBLIC_URL + reverse("sign_in"),
            },
            "cors_status": "configured" if settings.CORS_ALLOWED_ORIGINS else "no origin allowed",
            "allowed_origins": settings.CORS_ALLOWED_ORIGINS,
            "modules": [spec.key for spec in registry.all_specs()],
            "flags": _flags(),
        }
    )


def _status(readiness: Readiness) -> str:
    if not readiness.is_ready or readiness.warnings:
        return "degraded"
    return "starting" if phases.missing else "healthy"


def _flags() -> dict[str, Any]:
    """Which release this process has, from where, whether it may be old, and which flags the operator forces."""
    state = flags.store.state()
    return {
        "loaded": state.source == "database",
        "known": state.known if state.source != "nothing" else None,
        "version": state.version,
        "source": state.source,
        "stale": state.is_stale,
        "seconds_since_look": None if state.seconds_since_look is None else round(state.seconds_since_look, 1),
        "problem": state.problem or None,
        "forced": sorted(settings.FLAGS_FORCED),
    }


ANSWERS = {"/healthz/live": live, "/healthz/startup": startup, "/healthz/ready": ready, "/health": summary}


class HealthMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = ANSWERS.get(request.path_info)
        if answer is None:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        response = answer()
        response.headers["Content-Length"] = str(len(response.content))
        response.headers["Cache-Control"] = "no-store"
        return response
