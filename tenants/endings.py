"""How a command ends when something ends it: its time, Ctrl-C, or a reader that went away. Never with a traceback."""

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from tenants.postgresql import deadline

INTERRUPTED = 130  # what shells expect after Ctrl-C
GRACE = 1.0  # seconds beyond the time limit, for a wait that takes no notice of signals (a name service that is mute)
RINGS_AGAIN = 0.2  # seconds, should somebody have swallowed the first ring


class TimeLimit(BaseException):
    """The command ran longer than its --timeout. Not an Exception: what survives everything must not survive this."""


class Interrupted(BaseException):
    """Ctrl-C. Not a KeyboardInterrupt: the database driver would wait for a mute server to confirm it."""


@contextmanager
def time_limit(limit: float) -> Iterator[None]:
    """Raise TimeLimit after so many seconds, whatever is waited for; waits for the database end a little earlier.

    Outside the main thread there are no signals, and only the waits for the database are bounded.
    """
    with deadline.within(limit * 0.9):
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        with _alarm(limit):
            yield


@contextmanager
def _alarm(limit: float) -> Iterator[None]:
    def ring(*_: Any) -> None:
        raise TimeLimit

    began, before = time.monotonic(), signal.signal(signal.SIGALRM, ring)
    outer, _ = signal.setitimer(signal.ITIMER_REAL, limit, RINGS_AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if outer:
            left = outer - (time.monotonic() - began)
            signal.setitimer(signal.ITIMER_REAL, max(left, 0.001), RINGS_AGAIN)


@contextmanager
def cleanly() -> Iterator[None]:
    """For a whole process: Ctrl-C ends it in one line, and nobody who stops reading makes it fail."""
    _say_what_can_be_said()
    before = signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    except (Interrupted, KeyboardInterrupt):
        write(sys.stderr.write, "Stopped.\n")
        raise SystemExit(INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGINT, before)
        _flush()


def _say_what_can_be_said() -> None:
    """Signs that the terminal's encoding lacks are spelled, rather than ending the command after its work is done."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _interrupt(*_: Any) -> None:
    raise Interrupted


@contextmanager
def at_the_latest(seconds: float, last_words: Callable[[], None], code: int) -> Iterator[None]:
    """End the process after so many seconds inside, even when it hears no signal."""

    def end() -> None:
        last_words()
        _flush()
        os._exit(code)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def write(writer: Callable[[str], Any], text: str) -> None:
    """Write, or take no notice that nobody reads any more; what else keeps it from being written is told."""
    try:
        writer(text)
    except OSError as fault:
        _give_up_on(fault)


def _flush() -> None:
    try:
        sys.stdout.flush()
    except OSError as fault:
        _give_up_on(fault)


def _give_up_on(fault: OSError) -> None:
    _forget_readers()
    if not isinstance(fault, BrokenPipeError):
        with suppress(OSError):
            sys.stderr.write(f"The answer could not be written: {fault.strerror}.\n")


def _forget_readers() -> None:
    """What is still to be said goes nowhere; the exit code remains."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if _is_gone(stream):
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _is_gone(stream: IO[str]) -> bool:
    try:
        stream.flush()
    except OSError:
        return True
    return False
