"""What processes see of their machine, ours to take away: names of hosts, a name server, a disk with little room."""

import socket
import subprocess
from functools import cache
from pathlib import Path

HOST = "database.marketedge.test"
NAME_SERVER = "127.0.0.2"
_ENTER = """
mount --bind "$0/hosts" /etc/hosts && mount --bind "$0/resolv.conf" /etc/resolv.conf &&
mount -t tmpfs -o size=1m,mode=1777 tmpfs "$0/small" && exec "$@"
"""


@cache
def can_be_taken_away() -> bool:
    """Whether this machine lets us give processes a view of files of their own."""
    return subprocess.run([*_unshare(), "true"], capture_output=True, check=False).returncode == 0


def _unshare() -> list[str]:
    return ["unshare", "--user", "--map-root-user", "--mount"] if _is_ordinary_user() else ["unshare", "--mount"]


def _is_ordinary_user() -> bool:
    return subprocess.run(["id", "-u"], capture_output=True, text=True, check=True).stdout.strip() != "0"


class Names:
    """The database's host is known, unknown, or asked of a name server that is mute."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server: socket.socket | None = None
        self.small_disk = folder / "small"
        self.small_disk.mkdir()
        (folder / "resolv.conf").write_text(f"nameserver {NAME_SERVER}\n")
        self.know()

    def seen_by(self, command: list[str]) -> list[str]:
        """The command, as one that sees these names; on machines that cannot have it, the command as it is."""
        return [*_unshare(), "sh", "-c", _ENTER, str(self.folder), *command] if can_be_taken_away() else command

    def know(self) -> None:
        self._close()
        self._write(f"127.0.0.1 localhost {HOST}\n")

    def forget(self) -> None:
        self._write("127.0.0.1 localhost\n")

    def be_mute(self) -> None:
        """As `forget`, with a name server that takes questions and never answers."""
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.bind((NAME_SERVER, 53))
        self.forget()

    def _write(self, text: str) -> None:
        # In place: a file that took its name would not be the one that was mounted.
        (self.folder / "hosts").write_text(text)

    def _close(self) -> None:
        if self.server:
            self.server.close()
            self.server = None
