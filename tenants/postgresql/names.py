"""Where is the database's host? The system's look-up knows no time limit of ours: it is asked beside, once for all."""

import socket
from functools import cache

import psycopg

from tenants.postgresql import deadline
from tenants.probing import Prober

KEPT = 1.0  # seconds: long enough for a crowd, short enough for a host that has just moved
PATIENCE = 1.5  # seconds: the system waits far longer for name servers that may be back by now


class NameNotResolved(psycopg.OperationalError):
    """The host's name is unknown, or the name servers do not answer."""


def addresses_of(host: str, *, within: float) -> list[str]:
    """The host's addresses, after at most `within` seconds; what needs no look-up is its own address.

    Raises NameNotResolved.
    """
    if not host or host.startswith("/") or "," in host:
        return []  # a socket's folder, or several hosts: for the driver
    allowed = deadline.remaining(within)
    found = _prober(host).answer(within=allowed)
    if isinstance(found, str):
        raise NameNotResolved(found)
    return found


@cache
def _prober(host: str) -> Prober[list[str] | str]:
    late = "no answer of the name servers in time"
    return Prober(
        lambda: _look_up(host), deadline=0, kept=KEPT, late=late, failed="the look-up failed", patience=PATIENCE
    )


def _look_up(host: str) -> list[str] | str:
    """The addresses, or what was wrong in words."""
    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as fault:
        return f"failed to resolve the host: {fault}"
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
