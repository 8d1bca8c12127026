"""A connection whose every wait is bounded on our side, by its own limit and by that of the running code."""

from contextlib import suppress
from typing import Any

import psycopg
from psycopg import errors

from tenants.postgresql import deadline, names

INTERVAL = 0.1  # seconds, psycopg's own: how often it looks whether somebody interrupts
CONNECT_TIMEOUT = 3  # seconds, where the parameters say nothing


class BoundedConnection(psycopg.Connection[Any]):
    """`limit` is in seconds for one wait; None leaves the running code's deadline alone to bound it."""

    limit: float | None = None

    @classmethod
    def connect(cls, conninfo: str = "", **parameters: Any) -> Any:
        """Connect to the first address that answers, each within `connect_timeout`, until the deadline has passed."""
        host, timeout = str(parameters.get("host") or ""), parameters.get("connect_timeout", CONNECT_TIMEOUT)
        addresses: list[str | None] = [*names.addresses_of(host, within=timeout)]
        *others, last = addresses or [None]
        for address in others:
            with suppress(psycopg.OperationalError):
                return super().connect(conninfo, **{**parameters, "hostaddr": address})
            if deadline.remaining() == 0:
                raise deadline.DeadlinePassed("no answer within the time there was to connect")
        return super().connect(conninfo, **{**parameters, "hostaddr": last})

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
