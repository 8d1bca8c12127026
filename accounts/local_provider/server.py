"""Serves the provider on loopback: for the one-command start, and in a thread for tests."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from accounts.local_provider.provider import Provider


class ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        """Requests carry codes and addresses: they are not written anywhere."""


def listen(provider: Provider, port: int) -> ThreadingServer:
    """A server on 127.0.0.1 that is not serving yet; OSError when the port is taken."""
    return make_server("127.0.0.1", port, provider, ThreadingServer, Quiet)


@contextmanager
def serve_in_thread(provider: Provider, port: int = 0) -> Iterator[str]:
    """Serve for the time of the block; yields the issuer, which is set to where the provider listens."""
    server = listen(provider, port)
    issuer = f"http://127.0.0.1:{server.server_port}/"
    provider.settings = replace(provider.settings, issuer=issuer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
