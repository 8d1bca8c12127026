"""What a line in the log and the metrics cost a request: the product with and without, by its processor time."""

import http.client
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.marketedge.serving import HEADERS, environment, running_gunicorn, wait_for

ROUNDS = 15
REQUESTS = 60  # of each round, for each address: all together fewer than a worker answers before it is replaced
CALLERS = 2
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
    """All variants run side by side and take turns, so that whatever else the machine does meets them alike."""
    spent: dict[tuple[str, str], list[float]] = {}
    with ExitStack() as servers:
        running = {name: servers.enter_context(serving(changes)) for name, changes in VARIANTS.items()}
        for number in range(ROUNDS + 1):
            for name, (address, worker) in running.items():
                for what, path in ADDRESSES.items():
                    seconds = _spent(worker, address, path)
                    if number:  # the first one warms up
                        spent.setdefault((what, name), []).append(seconds)
    for what in ADDRESSES:
        baseline = statistics.median(spent[what, "without"])
        others = {name: statistics.median(spent[what, name]) / baseline for name in VARIANTS if name != "without"}
        ratios = ", ".join(f"{name} {ratio:.2f}" for name, ratio in others.items())
        sys.stdout.write(
            f"observation, {what}: {baseline / REQUESTS * 1e6:.0f} us of processor time without; ratios with {ratios}"
            f" (medians of {ROUNDS}, interleaved)\n"
        )


@contextmanager
def serving(changes: dict[str, str]) -> Iterator[tuple[str, int]]:
    """A server with one worker: its address, and the worker's process id."""
    with tempfile.TemporaryDirectory() as folder:
        variables = environment(WEB_CONCURRENCY="1", **changes)
        with running_gunicorn(variables, Path(folder) / "log") as (address, process):
            wait_for(f"{address}/healthz/live", seconds=60)
            yield address, int(subprocess.check_output(["pgrep", "-P", str(process.pid)]).split()[0])


def _spent(worker: int, address: str, path: str) -> float:
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
    """Of all threads, by the scheduler's own account: ticks are too coarse for so few requests."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
