"""Logs, metrics and incident ids as they are deployed: several worker processes under gunicorn."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.marketedge.breaking_urls import SECRET
from tests.marketedge.serving import ask, environment, running_gunicorn, wait_for

pytestmark = pytest.mark.served
TOKEN = "only-prometheus-knows-this"
WORKERS = 3


class Served:
    def __init__(self, address: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.address = address
        self.process = process
        self.log = log

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def get(self, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
        return ask(f"{self.address}{path}", **headers)

    def metrics(self) -> dict[tuple[str, ...], float]:
        status, text, _ = self.get("/metrics", Authorization=f"Bearer {TOKEN}")
        assert status == 200
        return {
            (sample.name.removeprefix("marketedge_"), *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def workers(self) -> list[int]:
        told = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)
        return [int(pid) for pid in told.stdout.split()]

    def folders(self) -> list[Path]:
        """Those of the metrics, wherever they are."""
        places = (Path("/dev/shm"), self.log.parent)  # noqa: S108 - only looked into
        return [found for place in places for found in place.glob(f"marketedge-metrics-{self.process.pid}-*")]

    def speak(self, words: bytes) -> bytes:
        """What the server answers to something that is not quite HTTP."""
        with socket.create_connection(("127.0.0.1", int(self.address.rpartition(":")[2])), timeout=10) as caller:
            caller.sendall(words)
            return caller.recv(65536)


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    variables = environment(
        DJANGO_SETTINGS_MODULE="tests.marketedge.breaking_settings",
        WEB_CONCURRENCY=str(WORKERS),
        METRICS_TOKEN=TOKEN,
        TMPDIR=str(folder),
    )
    log = folder / "log"
    with running_gunicorn(variables, log) as (address, process):
        wait_for(f"{address}/healthz/live", seconds=20)
        yield Served(address, process, log)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as running:
        yield running


def works(served: Served) -> float:
    return served.metrics().get(("http_request_duration_seconds_count", "GET", "works", "2xx"), 0)


def test_every_line_of_the_server_is_json_and_names_the_release(served):
    served.get("/breaks/?code=abc123")
    with pytest.raises(IncompleteRead):
        served.get("/streams/")
    served.get(f"/works/%0a{{forged}}?next={SECRET}", **{"User-Agent": "x"})
    served.speak(b"GET /works/ HTTP/1.1\r\nHost: a\rb\r\n\r\n")
    served.speak(b"NONSENSE\r\n\r\n")
    os.kill(served.workers()[0], signal.SIGKILL)
    seconds_until(lambda: "was sent SIGKILL" in served.log.read_text())

    lines = served.lines()

    assert {line["release"] for line in lines} == {"0.1.0+0000000"}
    assert {"gunicorn.error", "django.request", "marketedge.request"} <= {line["logger"] for line in lines}
    assert [word for word in (SECRET, "abc123", "ann@") if word in served.log.read_text()] == []


def seconds_until(is_so: Any, limit: float = 15.0) -> None:
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < limit
        time.sleep(0.05)


def test_the_incident_id_of_a_page_finds_what_happened(served):
    status, page, headers = served.get("/breaks/")

    incident = headers["X-Request-ID"]
    # The line of the request is written when the answer has left.
    seconds_until(lambda: served.log.read_text().count(f'"request_id": "{incident}"') == 2)
    found = [line for line in served.lines() if line["request_id"] == incident]
    assert (status, incident in page, SECRET in page) == (500, True, False)
    assert [line["logger"] for line in found] == ["django.request", "marketedge.request"]
    assert "breaking_urls.py" in found[0]["exception"]


def test_the_counters_are_those_of_all_workers_also_after_one_has_gone(served):
    already = works(served)
    for _ in range(30):
        served.get("/works/")
    # A request is counted when its answer has left: the caller may be quicker.
    seconds_until(lambda: works(served) == already + 30)

    before = set(served.workers())
    os.kill(next(iter(before)), signal.SIGKILL)
    seconds_until(lambda: len(set(served.workers()) - before) == 1 and len(served.workers()) == WORKERS)
    for _ in range(30):
        served.get("/works/")

    seconds_until(lambda: works(served) == already + 60)
    seconds_until(lambda: served.metrics()[("http_requests_in_progress",)] == 1)
    assert works(served) == already + 60


def test_the_files_of_the_metrics_do_not_become_more(served):
    served.get("/works/")
    for _ in range(3):
        before = set(served.workers())
        os.kill(next(iter(before)), signal.SIGTERM)
        seconds_until(lambda: len(set(served.workers()) - before) == 1 and len(served.workers()) == WORKERS)  # noqa: B023
    served.get("/works/")

    folders = served.folders()
    places = {path.stem.rpartition("_")[2] for folder in folders for path in folder.iterdir()}
    assert (len(folders), places <= {str(number) for number in range(WORKERS)}) == (1, True)


def test_without_the_token_the_address_does_not_exist(served):
    without, page, _ = served.get("/metrics")
    wrong, _, _ = served.get("/metrics", Authorization="Bearer wrong")
    nothing, as_page, _ = served.get("/nothing")

    assert (without, wrong, nothing, page == as_page) == (404, 404, 404, True)


def test_the_folder_of_the_metrics_is_gone_when_the_server_is(tmp_path):
    with serving(tmp_path) as running:
        assert len(running.folders()) == 1

    assert running.folders() == []
