"""Watchers that end with their test."""

from collections.abc import Callable, Iterator

import pytest

from modules.flags.watching import Watcher


@pytest.fixture
def watchers() -> Iterator[Callable[[], Watcher]]:
    """Makes a new one."""
    made: list[Watcher] = []

    def make() -> Watcher:
        made.append(Watcher())
        return made[-1]

    yield make
    for watcher in made:
        watcher.end()
        if watcher._thread:
            watcher._thread.join(timeout=5)
