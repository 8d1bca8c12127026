"""Child processes that end with us: in a session of their own, told to stop should this process be killed."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_SET_PARENT_DEATH_SIGNAL = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Account:
    """Whom a process runs as, when not as ourselves."""

    user: int
    group: int


def start(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    folder: Path,
    output: IO[bytes] | None = None,
    account: Account | None = None,
    inherit: Sequence[int] = (),
    when_we_die: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a command away from the terminal's Ctrl-C; `inherit` are descriptors that it keeps open."""
    return subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        start_new_session=True,
        pass_fds=inherit,
        preexec_fn=_follow_us(when_we_die),
        **as_account(account),
    )


def as_account(account: Account | None) -> dict[str, Any]:
    """The arguments of subprocess that run a command as this account, without our groups."""
    return {"user": account.user, "group": account.group, "extra_groups": []} if account else {}


def stop(process: subprocess.Popen[bytes], first: signal.Signals, patience: float) -> None:
    """Ask it to end, and kill it with its whole group when it has not after `patience` seconds."""
    if process.poll() is None:
        process.send_signal(first)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a connection that has just been closed does not keep them away.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def last_lines(log: Path, count: int = 10) -> str:
    if not log.exists():
        return ""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])


def how_it_ended(process: subprocess.Popen[bytes]) -> str:
    code = process.returncode
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _follow_us(when_we_die: signal.Signals) -> Callable[[], None] | None:
    # Even `kill -9` of this process must not leave servers behind. Only Linux offers it; elsewhere Ctrl-C has to do.
    if _libc is None:
        return None
    libc = _libc
    return lambda: libc.prctl(_SET_PARENT_DEATH_SIGNAL, int(when_we_die), 0, 0, 0)
