"""Where workers write what they count, so that whichever is asked tells the sum: gunicorn's side of the metrics.

Files belong to a worker's place, not to its process id: the successor takes the place and counts on, so that neither
files nor the time to read them grow while workers come and go, and no counter goes back.
"""

import contextlib
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's own name for the folder
_NAME = "marketedge-metrics-"
_taken: set[int] = set()
_folder: Path | None = None


def make(places: list[str]) -> None:
    """An empty folder in the first place that takes one, for the workers of this server; leftovers go."""
    global _folder
    for place in places:
        _remove_leftovers(Path(place))
        with contextlib.suppress(OSError):
            _folder = Path(tempfile.mkdtemp(prefix=f"{_NAME}{os.getpid()}-", dir=place))
            os.environ[VARIABLE] = str(_folder)
            return
    logger.error("There is no place for the workers' metrics: /metrics tells those of one worker alone.")


def remove() -> None:
    """Called when the server ends."""
    if _folder is not None:
        shutil.rmtree(_folder, ignore_errors=True)


def take_place(worker: Any) -> None:
    """Called before the fork: the lowest place that no living worker has."""
    worker.place = next(number for number in range(len(_taken) + 1) if number not in _taken)
    _taken.add(worker.place)


def leave_place(worker: Any) -> None:
    """Called when the worker has ended, however it did. What it was in the middle of ended with it."""
    _taken.discard(worker.place)
    if _folder is not None:
        for unfinished in _folder.glob(f"gauge_live*_{worker.place}.db"):
            unfinished.unlink(missing_ok=True)


def _remove_leftovers(place: Path) -> None:
    """Of servers that were killed and could not tidy up."""
    for folder in place.glob(f"{_NAME}*"):
        owner = folder.name.removeprefix(_NAME).partition("-")[0]
        if owner.isdecimal() and not _is_alive(int(owner)) and folder.stat().st_uid == os.getuid():
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
