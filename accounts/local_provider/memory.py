"""What the provider remembers between requests: for a while, the newest only, and nothing on disk."""

import secrets
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")

LIMIT = 1000


class Memory(Generic[Value]):
    """Values under random keys that cannot be guessed; each is forgotten after `seconds`."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self.seconds = seconds
        self.clock = clock
        self.lock = threading.Lock()
        self.kept: dict[str, tuple[float, Value]] = {}

    def keep(self, value: Value, key: str = "") -> str:
        """Remember, under `key` or a new one, and give the key; beyond LIMIT the oldest is forgotten."""
        key = key or secrets.token_urlsafe(24)
        with self.lock:
            self.kept[key] = (self.clock() + self.seconds, value)
            if len(self.kept) > LIMIT:
                del self.kept[next(iter(self.kept))]
        return key

    def get(self, key: str) -> Value | None:
        return self._unless_old(self.kept.get(key))

    def take(self, key: str) -> Value | None:
        """The value, once: of two who come for it, one gets it."""
        with self.lock:
            return self._unless_old(self.kept.pop(key, None))

    def _unless_old(self, found: tuple[float, Value] | None) -> Value | None:
        return found[1] if found and self.clock() <= found[0] else None
