"""What a line in the log and the metrics cost a request: the product with and without, by its processor time."""

import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from tests.marketedge.serving import HEADERS, environment, running_gunicorn, wait_for

ROUNDS = 5
REQUESTS = 720  # for each address: together fewer than a worker answers before it is replaced
CALLERS = 4
ADDRESSES = {
    "a JSON answer": "/api/v1/auth/auth0-url?redirect_uri=https://app.example/callback",
    "a page": "/signed-out/",
}
WITHOUT = {"REQUEST_LOG": "off", "METRICS_TOKEN": ""}
VARIANTS = {
    "without": WITHOUT,
    "line": {**WITHOUT, "REQUEST_LOG": "on"},
    "metrics": {**WITHOUT, "METRICS_TOKEN": "only-prometheus-knows-this"},
    "both": {"REQUEST_LOG": "on", "METRICS_TOKEN": "only-prometheus-knows-this"},
}


def run() -> None:
    measured: dict[tuple[str, str], list[float]] = {}
    for _ in range(ROUNDS):
        for name, changes in VARIANTS.items():
            for what, seconds in seconds_of(changes).items():
                measured.setdefault((what, name), []).append(seconds)
    for what in ADDRESSES:
        baseline = statistics.median(measured[what, "without"])
        ratios = ", ".join(
            f"{name} {statistics.median(measured[what, name]) / baseline:.2f}" for name in VARIANTS if name != "without"
        )
        sys.stdout.write(
            f"observation, {what}: {baseline / REQUESTS * 1e6:.0f} us of the server's processor without;"
            f" ratios: {ratios} (medians of {ROUNDS} rounds, interleaved)\n"
        )


def seconds_of(changes: dict[str, str]) -> dict[str, float]:
    """Processor seconds of one fresh worker for so many requests, for each address."""
    with tempfile.TemporaryDirectory() as folder:
        variables = environment(WEB_CONCURRENCY="1", **changes)
        with running_gunicorn(variables, Path(folder) / "log") as (address, process):
            wait_for(f"{address}/healthz/live", seconds=30)
            worker = int(subprocess.check_output(["pgrep", "-P", str(process.pid)]).split()[0])
            return {what: _spent(worker, address, path) for what, path in ADDRESSES.items()}


def _spent(worker: int, address: str, path: str) -> float:
    _ask_often(address, path, REQUESTS // 10)
    before = _processor_seconds(worker)
    callers = [threading.Thread(target=_ask_often, args=(address, path, REQUESTS // CALLERS)) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return _processor_seconds(worker) - before


def _ask_often(address: str, path: str, times: int) -> None:
    caller = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
    for _ in range(times):
        caller.request("GET", path, headers=HEADERS)
        response = caller.getresponse()
        response.read()
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}")
    caller.close()


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
