"""Plays the place where Sentry takes reports, on loopback: it keeps what it is sent, or keeps whoever sends waiting."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Sink(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.bodies: list[str] = []
        self.came = threading.Event()
        self.may_answer = threading.Event()

    @property
    def dsn(self) -> str:
        return f"http://publickey@127.0.0.1:{self.server_port}/42"

    @property
    def events(self) -> list[dict[str, Any]]:
        """The reports; each is the last line of an envelope."""
        return [json.loads(body.splitlines()[2]) for body in list(self.bodies)]


class Taking(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        body = gzip.decompress(raw) if self.headers.get("Content-Encoding") == "gzip" else raw
        self.server.bodies.append(body.decode())
        self.server.came.set()
        self.server.may_answer.wait(30)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *arguments: Any) -> None:
        """It is asked what it got."""


@contextmanager
def sink(*, hangs: bool = False) -> Iterator[Sink]:
    taking = Sink()
    if not hangs:
        taking.may_answer.set()
    thread = threading.Thread(target=taking.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield taking
    finally:
        taking.may_answer.set()
        taking.shutdown()
        taking.server_close()
        thread.join()
