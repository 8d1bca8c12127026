"""Real server processes for tests: gunicorn as it is deployed, on loopback."""

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.environment import ROOT, SETTINGS

HEADERS = {"Host": "marketedge.example", "X-Forwarded-Proto": "https"}


class MuteServer:
    """A socket that accepts and never answers, and counts who came."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = self.socket.getsockname()[1]
        self.accepted: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                self.accepted.append(self.socket.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        # A thread in accept() keeps the socket open until it is shut down.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for connection in self.accepted:
            connection.close()

    @property
    def environment(self) -> dict[str, str]:
        return environment(DATABASE_URL=f"postgres://web:pw@127.0.0.1:{self.port}/marketedge", DATABASE_OWNER_URL="")


def environment(**changes: str) -> dict[str, str]:
    inherited = {
        name: os.environ[name] for name in ("PATH", "DATABASE_URL", "DATABASE_OWNER_URL", "HOME") if name in os.environ
    }
    return {**inherited, **SETTINGS, **changes}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@contextmanager
def gunicorn(variables: dict[str, str]) -> Iterator[str]:
    """The product under its own gunicorn configuration; yields its base URL as soon as the process has been started."""
    with running_gunicorn(variables) as (address, _):
        yield address


@contextmanager
def running_gunicorn(
    variables: dict[str, str], log: Path = Path(os.devnull)
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The same, with its process, which writes to `log`."""
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "marketedge/gunicorn.conf.py", "marketedge.wsgi"],
            cwd=ROOT,
            env={**variables, "PORT": str(port)},
            stdout=output,
            stderr=output,
        )
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait(timeout=40)


def ask(url: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers; an answer of any status counts, no redirect is followed."""
    request = urllib.request.Request(url, headers={**HEADERS, **headers})  # noqa: S310 (loopback alone)
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=20) as response:
            return response.status, response.read().decode(), dict(response.headers)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read().decode(), dict(answer.headers)


def wait_for(url: str, seconds: float) -> float:
    """How long until the address answers 200; TimeoutError after `seconds`."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        try:
            if ask(url)[0] == 200:
                return time.monotonic() - started
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer 200 within {seconds} seconds")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: object) -> None:
        return None
