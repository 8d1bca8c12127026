"""What is counted for Prometheus, in each worker process and over all of them; nothing unless METRICS_TOKEN is set.

prometheus_client is imported, and its files are opened, when the first worker begins: commands do without both.
"""

import os
import threading
from typing import Any

from django.conf import settings

from marketedge.metrics_files import VARIABLE
from marketedge.phases import phases
from marketedge.readiness import PROBLEMS, WARNINGS, prober
from modules.flags import watching as flags
from modules.flags.exposure import flushing
from tenants.postgresql import waits

REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # seconds
STATEMENT_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 20)  # seconds
PREFIX = "marketedge"


class Instruments:
    """What goes up and down while requests are answered. `place` is the worker's (see metrics_files)."""

    def __init__(self, place: int = 0) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values

        # In files that all workers can read, or in memory where there is no place for them (tests, a bare start).
        self.folder = os.environ.get(VARIABLE, "")
        values.ValueClass = values.MultiProcessValue(lambda: place) if self.folder else values.MutexValue
        self.registry = CollectorRegistry()
        common: dict[str, Any] = {"namespace": PREFIX, "registry": self.registry}
        self.requests = Histogram(
            "http_request_duration_seconds",
            "From a request's arrival until its answer has left.",
            ("method", "route", "status"),
            buckets=REQUEST_BUCKETS,
            **common,
        )
        self.in_progress = Gauge(
            "http_requests_in_progress", "Requests that are being answered.", multiprocess_mode="livesum", **common
        )
        self.refused = Counter("http_requests_refused", "Requests refused because no thread was to spare.", **common)
        self.statements = Histogram(
            "database_statement_duration_seconds",
            "Waiting for the answer to one statement or commit.",
            buckets=STATEMENT_BUCKETS,
            **common,
        )
        self.connections = Counter("database_connections_opened", "Connections to the database opened.", **common)
        self.faults = Counter("database_faults", "Statements and connections that failed.", ("kind",), **common)

    def text(self) -> bytes:
        """In Prometheus' text format: the counters of all workers, and the state of this one."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        counted = self.registry
        if self.folder:
            MultiProcessCollector(counted := CollectorRegistry(), self.folder)
        state = CollectorRegistry()
        state.register(State())
        return generate_latest(counted) + generate_latest(state)


class State:
    """What is read when somebody asks: the start, readiness, flags, and which release this is."""

    def collect(self) -> list[Any]:
        return [self._release(), *self._start(), *self._readiness(), *self._flags()]

    def _release(self) -> Any:
        labels = {"version": settings.RELEASE_VERSION, "commit": settings.RELEASE_COMMIT}
        return gauge("build_info", "The release; always 1.", [(labels, 1)])

    def _start(self) -> list[Any]:
        told = {phase["name"]: phase for phase in phases.told()}
        modules = told["modules"]["detail"] if "modules" in told else {}
        return [
            gauge("started", "1 when all phases of the start are over.", [({}, not phases.missing)]),
            gauge(
                "startup_phase_seconds",
                "How long each phase of the start took.",
                [({"phase": name}, phase["seconds"]) for name, phase in told.items()],
            ),
            gauge(
                "startup_module_seconds",
                "How long each analytics module took to load.",
                [({"module": key}, seconds) for key, seconds in modules.items()],
            ),
        ]

    def _readiness(self) -> list[Any]:
        readiness = prober.answer()
        problems = readiness.problems
        return [
            gauge("ready", "1 when this process can serve.", [({}, not problems)]),
            gauge(
                "readiness_problem",
                "1 for what keeps it from being ready.",
                [({"problem": name}, name in problems) for name in PROBLEMS],
            ),
            gauge(
                "readiness_warning",
                "1 for what keeps no request away, and somebody has to look at.",
                [({"warning": name}, name in readiness.warnings) for name in WARNINGS],
            ),
        ]

    def _flags(self) -> list[Any]:
        state = flags.store.state()
        age: list[Any] = [] if state.seconds_since_look is None else [({}, state.seconds_since_look)]
        return [
            gauge("flags_loaded", "1 when this process has read the flags.", [({}, state.source == "database")]),
            gauge("flags", "Feature flags that are known here.", [({}, state.known)]),
            gauge("flags_release", "Number of the release of the flags that this process has.", [({}, state.version)]),
            gauge("flags_stale", "1 when there may be a newer release that it cannot read.", [({}, state.is_stale)]),
            gauge(
                "flags_use_waiting",
                "Evaluations of flags that were counted and could not be written yet.",
                [({}, flushing.flusher.state().waiting)],
            ),
            gauge("flags_seconds_since_look", "Since the database last said which release is the newest.", age),
        ]


def gauge(name: str, says: str, samples: list[tuple[dict[str, str], float]]) -> Any:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(f"{PREFIX}_{name}", says, labels=list(samples[0][0]) if samples else [])
    for labels, value in samples:
        family.add_metric(list(labels.values()), float(value))
    return family


class DatabaseListener:
    """Told by the database backend, on a floor that knows nothing of metrics."""

    def statement(self, seconds: float) -> None:
        instruments().statements.observe(seconds)

    def connected(self, seconds: float) -> None:
        instruments().connections.inc()

    def fault(self, kind: str) -> None:
        instruments().faults.labels(kind).inc()


_lock = threading.Lock()
_instruments: Instruments | None = None


def are_kept() -> bool:
    return bool(settings.METRICS_TOKEN)


def instruments() -> Instruments:
    return _instruments or begin()


def begin(place: int = 0) -> Instruments:
    """Open them, once in a process, and never before the fork: two at once would write over each other."""
    global _instruments
    with _lock:
        if _instruments is None:
            _instruments = Instruments(place)
        return _instruments


def listen_to_database() -> None:
    waits.listener = DatabaseListener() if are_kept() else waits.Nobody()
