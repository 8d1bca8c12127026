"""How many may wait for the identity provider at once? The other threads of a worker stay free for everybody else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Places for so many; who finds none is told so at once, instead of keeping a thread waiting."""

    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places)

    @contextmanager
    def taken(self, wait: float = 0.0) -> Iterator[bool]:
        """Whether a place was free, within `wait` seconds; it is kept until the block ends."""
        is_ours = self._places.acquire(timeout=wait) if wait else self._places.acquire(blocking=False)
        try:
            yield is_ours
        finally:
            if is_ours:
                self._places.release()
