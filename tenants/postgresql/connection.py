"""A connection whose every wait is bounded on our side, by its own limit and by that of the running code."""

from typing import Any

import psycopg
from psycopg import errors

from tenants.postgresql import deadline

INTERVAL = 0.1  # seconds, psycopg's own: how often it looks whether somebody interrupts


class BoundedConnection(psycopg.Connection[Any]):
    """`limit` is in seconds for one wait; None leaves the running code's deadline alone to bound it."""

    limit: float | None = None

    def wait(self, gen: Any, interval: float = INTERVAL, timeout: float | None = None) -> Any:
        allowed = deadline.remaining(self.limit)
        if allowed is None or (timeout is not None and timeout < allowed):
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, allowed)
        except errors._WaitTimeout:
            # What the server would still send belongs to nobody: this connection is not used again.
            self.pgconn.finish()
            raise deadline.DeadlinePassed(f"no answer within {allowed:.3g} seconds") from None
