"""gunicorn's threaded worker, with two habits more: silent callers cost no thread, and a stop leaves nobody waiting."""

import selectors
import time
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker


class Worker(ThreadWorker):
    def accept(self, listener: Any) -> None:
        """Take a connection; a thread begins with it only when there is something to read.

        gunicorn's own gives it a thread at once, for some seconds, and enough silent callers would take them all.
        """
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        client.setblocking(False)
        connection = TConn(self.cfg, client, address, listener.getsockname())
        connection.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(connection)
        self.poller.register(client, selectors.EVENT_READ, partial(self.on_pending_socket_readable, connection))

    def is_parent_alive(self) -> bool:
        # Only ever taken away here: a signal may take it away at any moment.
        if not super().is_parent_alive():
            self.alive = False
        return self.alive

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not self.alive:
            self._take_the_last()

    def _take_the_last(self) -> None:
        """What the kernel has accepted for us is answered; who comes later is refused at once and can go elsewhere."""
        for listener in self.sockets:
            before = -1
            while before != self.nr_conns:
                before = self.nr_conns
                self.accept(listener)
            listener.close()
