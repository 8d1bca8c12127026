"""How gunicorn serves MarketEdge; the reasons and measurements are in docs/operations.md."""

import faulthandler
import os
import sys
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

BOOT_LIMIT = 30

bind = os.environ.get("BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
worker_class = "gthread"
threads = 16
timeout = 30
graceful_timeout = 25
max_requests = 2000
max_requests_jitter = 200
preload_app = True
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
control_socket_disable = True

# A boot that hangs ends with its stack and a non-zero exit.
faulthandler.dump_traceback_later(BOOT_LIMIT, exit=True)

try:
    import marketedge.settings  # noqa: F401
except ImproperlyConfigured as problem:
    sys.stderr.write(f"MarketEdge cannot start with these settings:\n{problem}\n")
    sys.exit(2)


def when_ready(server: Any) -> None:
    faulthandler.cancel_dump_traceback_later()


def post_fork(server: Any, worker: Any) -> None:
    # Re-arms the time limit for a worker that hangs before its first request.
    worker.tmp.notify()
