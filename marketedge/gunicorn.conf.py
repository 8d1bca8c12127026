# ruff: noqa: N999 - gunicorn looks for this name
"""How gunicorn serves MarketEdge: `gunicorn -c marketedge/gunicorn.conf.py`, from the folder of manage.py.

The port opens only when the product is loaded: a broken import ends the process, and one that hangs does so after
BOOT_LIMIT seconds with the stack of what it waited for. Time limits: database statement < client < `timeout` here.
"""

import faulthandler
import os
import resource
import sys
import tempfile
from typing import Any

from django.core.exceptions import ImproperlyConfigured

# Read before anything else, so that even settings that hang are ended; the settings say when it is malformed.
_limit = os.environ.get("BOOT_LIMIT", "").strip()
BOOT_SECONDS = int(_limit) if _limit.isascii() and _limit.isdecimal() and len(_limit) < 6 and int(_limit) else 30

# A reload (SIGHUP) reads this file again in a process that serves already, and calls no `when_ready`.
is_start = "marketedge.wsgi" not in sys.modules
if is_start:
    faulthandler.dump_traceback_later(BOOT_SECONDS, exit=True)

try:
    from marketedge import metrics_files
    from marketedge.phases import phases

    with phases.measure("settings"):
        from marketedge.environment import is_loopback, listening_at, worker_processes
        from marketedge.settings import (
            BOOT_LIMIT,
            DEMONSTRATION,
            METRICS_TOKEN,
            SENTRY_DSN,
            SERVER_TIMEOUT,
            WEB_THREADS,
            env,
        )

    if is_start and not _limit and env.states["BOOT_LIMIT"] == "set":  # in .env
        faulthandler.dump_traceback_later(BOOT_LIMIT, exit=True)

    bind = listening_at(env)
    workers = worker_processes(env)
    env.refuse_if(
        DEMONSTRATION and not all(is_loopback(f"//{address}") for address in bind),
        "DEMONSTRATION lets anybody in as anybody: BIND may only name loopback addresses while it is on.",
    )
    env.finish()
except ImproperlyConfigured as problem:
    sys.stderr.write(f"MarketEdge cannot start with these settings:\n{problem}\n")
    sys.exit(2)

wsgi_app = "marketedge.wsgi:application"
preload_app = True
worker_class = "marketedge.worker.Worker"
threads = WEB_THREADS
# A worker that may open no more files ends, with all that it answers; 128 are for what is no connection of a caller.
_files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
worker_connections = 1000 if _files == resource.RLIM_INFINITY else max(2 * threads, min(1000, _files - 128))
timeout = SERVER_TIMEOUT
graceful_timeout = 25
keepalive = 75  # longer than proxies keep idle connections (60 s), so that none of them uses one that just ended
max_requests = 2_000
max_requests_jitter = 400
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - gunicorn makes an unnamed file there
control_socket_disable = True
# No header says where the product begins: gunicorn believes SCRIPT_NAME of whoever calls from this machine.
forwarder_headers = ""
logger_class = "marketedge.server_log.ServerLog"


def on_starting(server: Any) -> None:
    if METRICS_TOKEN:
        metrics_files.make([*filter(None, [worker_tmp_dir]), tempfile.gettempdir()])


def when_ready(server: Any) -> None:
    faulthandler.cancel_dump_traceback_later()


def pre_fork(server: Any, worker: Any) -> None:
    metrics_files.take_place(worker)


def post_fork(server: Any, worker: Any) -> None:
    # gunicorn only watches workers that have reported once; one that hangs before that would stay for ever.
    worker.tmp.notify()


def post_worker_init(worker: Any) -> None:
    from marketedge.readiness import prober
    from modules.flags import watching

    if METRICS_TOKEN:
        from marketedge import metrics

        metrics.begin(worker.place)
    if SENTRY_DSN:
        from marketedge import fault_reports

        fault_reports.begin()
    # The first contact with the database is part of the start; it happens beside, and nothing waits for it.
    prober.begin()
    watching.store.begin()


def worker_exit(server: Any, worker: Any) -> None:
    if SENTRY_DSN:
        from marketedge import fault_reports

        fault_reports.end()


def child_exit(server: Any, worker: Any) -> None:
    metrics_files.leave_place(worker)


def on_exit(server: Any) -> None:
    metrics_files.remove()
