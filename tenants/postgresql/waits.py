"""What waiting for the database cost and what went wrong: for the running request, and for whoever listens."""

import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from tenants.postgresql import faults


@dataclass(slots=True)
class Spent:
    """Statements that were sent and the seconds until they were answered, commits included."""

    statements: int = 0
    seconds: float = 0.0


class Listener(Protocol):
    """Is told of each statement and each new connection, with seconds, and of each fault by its kind."""

    def statement(self, seconds: float) -> None: ...
    def connected(self, seconds: float) -> None: ...
    def fault(self, kind: str) -> None: ...


class Nobody:
    """Listens to nothing."""

    def statement(self, seconds: float) -> None: ...
    def connected(self, seconds: float) -> None: ...
    def fault(self, kind: str) -> None: ...


listener: Listener = Nobody()
spent: ContextVar[Spent | None] = ContextVar("spent_on_the_database", default=None)


class _Wait:
    """A class instead of a generator: it stands around every statement."""

    __slots__ = ("began",)

    def __enter__(self) -> None:
        self.began = time.perf_counter()

    def __exit__(self, kind: Any, fault: BaseException | None, trace: Any) -> None:
        self.note(time.perf_counter() - self.began)
        if isinstance(fault, Exception):
            listener.fault(faults.kind(fault))

    def note(self, seconds: float) -> None:
        raise NotImplementedError("It is for a statement or for a connection.")


class Statement(_Wait):
    """`with Statement(): ...` around what sends one and waits for its answer."""

    __slots__ = ()

    def note(self, seconds: float) -> None:
        now = spent.get()
        if now is not None:
            now.statements += 1
            now.seconds += seconds
        listener.statement(seconds)


class Connecting(_Wait):
    """Around opening one connection; a request's time for it counts as spent on the database."""

    __slots__ = ()

    def note(self, seconds: float) -> None:
        now = spent.get()
        if now is not None:
            now.seconds += seconds

    def __exit__(self, kind: Any, fault: BaseException | None, trace: Any) -> None:
        super().__exit__(kind, fault, trace)
        if fault is None:
            listener.connected(time.perf_counter() - self.began)
