"""Files that one process at a time, or one family of processes, may hold; a kill gives them back."""

import fcntl
import os
from pathlib import Path


def take_lock(path: Path) -> int | None:
    """The descriptor of this file, ours alone until it is closed here and in all who inherited it; None if taken."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
