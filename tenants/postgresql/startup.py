"""Refuses database connections while the product is being loaded: a dead database must never hold up a start."""

import sysconfig
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parents[2]
_is_loading = False
_touches: list[str] = []


class DatabaseTouchedAtStartup(RuntimeError):
    """Some import or `ready()` asked the database; move it behind the first request."""


class ThreadAtStartup(RuntimeError):
    """Some import or `ready()` started a thread; the worker processes would be without it."""


@contextmanager
def no_database() -> Iterator[None]:
    """Raise where the database is asked inside, and once more at the end, should somebody have swallowed it there.

    Past Django too: psycopg itself does not connect meanwhile. Threads that are started and left running are refused.
    """
    global _is_loading
    threads, _touches[:] = set(threading.enumerate()), []
    # Every way to connect, psycopg's asynchronous one included, goes through this method.
    base = next(kind for kind in psycopg.Connection.__mro__ if "_connect_gen" in vars(kind))
    connect_by_psycopg = vars(base)["_connect_gen"]
    base._connect_gen = classmethod(_refuse)  # type: ignore[attr-defined]
    _is_loading = True
    try:
        yield
        _require_untouched()
        _require_no_new_thread(threads)
    finally:
        _is_loading = False
        base._connect_gen = connect_by_psycopg  # type: ignore[attr-defined]


def require_loaded() -> None:
    if not _is_loading:
        return
    _touches.append(_where())
    raise DatabaseTouchedAtStartup(f"The database was asked while the product was loading, at {_touches[-1]}.")


def _refuse(cls: Any, *_: Any, **__: Any) -> Any:
    require_loaded()


def _where() -> str:
    """The line that led here: the innermost one that is no library's, and none of what loads and guards."""
    frames = [frame for frame in traceback.extract_stack() if Path(frame.filename).parent != Path(__file__).parent]
    own = [frame for frame in frames if not _is_library(frame.filename)]
    frame = (own or frames)[-1]
    return f"{frame.filename.removeprefix(f'{ROOT}/')}:{frame.lineno}"


def _is_library(filename: str) -> bool:
    places = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), "<")
    return filename.startswith(places) or "site-packages" in filename or filename == f"{ROOT}/marketedge/loading.py"


def _require_untouched() -> None:
    if _touches:
        raise DatabaseTouchedAtStartup(f"The database was asked while the product was loading, at {_touches[0]}.")


def _require_no_new_thread(before: set[threading.Thread]) -> None:
    started = sorted(thread.name for thread in threading.enumerate() if thread not in before)
    if started:
        raise ThreadAtStartup(
            f"A thread was started while the product was loading ({', '.join(started)}): start it on first use."
        )
