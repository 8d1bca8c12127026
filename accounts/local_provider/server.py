"""Serves the provider on loopback: for the one-command start, and in a thread for tests."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from accounts.local_provider.provider import Provider

ADDRESS = "127.0.0.1"


class ThreadingServer(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # a whole office that signs in at nine

    def server_bind(self) -> None:
        # Not HTTPServer's, which asks the name service who 127.0.0.1 is, and may wait for it.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = ADDRESS, self.server_address[1]
        self.setup_environ()


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        """Requests carry codes and addresses: they are not written anywhere."""


def listen(provider: Provider, port: int) -> ThreadingServer:
    """A server on 127.0.0.1 that is not serving yet; OSError when the port cannot be had."""
    return make_server(ADDRESS, port, provider, ThreadingServer, Quiet)


@contextmanager
def serve_in_thread(provider: Provider, port: int = 0) -> Iterator[str]:
    """Serve for the time of the block; yields the issuer, which is set to where the provider listens.

    To sign in without a browser: GET the address of the authorization request, take the hidden field `pending` from
    the page, and POST it to /authorize with a `subject` of accounts.demonstration (or with `cancel`).
    """
    server = listen(provider, port)
    issuer = f"http://{ADDRESS}:{server.server_port}/"
    provider.settings = replace(provider.settings, issuer=issuer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
