"""Starts everything MarketEdge needs on this machine, says how to sign in, and stops it all again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from accounts.demonstration import PEOPLE
from marketedge.healthcheck import problems_of
from marketedge.local import processes
from marketedge.local.environment import CannotStart, Start, plan_start
from marketedge.local.postgres import EmbeddedPostgres, EmbeddedPostgresError

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "marketedge"
START_LIMIT = 60.0  # seconds until the web server must be ready
PATIENCE = {"web": 10.0, "provider": 3.0}  # seconds to end by itself when told to
_MANAGE = [sys.executable, str(ROOT / "manage.py")]


@dataclass(frozen=True)
class Commands:
    """What is started beside PostgreSQL."""

    prepare: list[str] = field(default_factory=lambda: [*_MANAGE, "prepare"])
    provider: list[str] = field(default_factory=lambda: [*_MANAGE, "local_identity_provider", "--port"])
    web: list[str] = field(
        default_factory=lambda: [sys.executable, "-m", "gunicorn", "-c", "marketedge/gunicorn.conf.py"]
    )


@dataclass(frozen=True)
class Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path | None = None

    def obituary(self) -> str:
        """Which one ended, how, and the last that it said; without a log of its own it said that on the terminal."""
        said = f"\n{processes.last_lines(self.log)}" if self.log else " Its last lines are above."
        return f"{self.name} ended unexpectedly ({processes.how_it_ended(self.process)}).{said}"


class StopRequested(Exception):
    """Ctrl-C, or something that means the same."""


class LocalRun:
    def __init__(self, root: Path, given: Mapping[str, str], commands: Commands) -> None:
        self.folder = root / ".local"
        self.root = root
        self.given = given
        self.commands = commands
        self.children: list[Child] = []
        self.stop_requested = False
        self.make = os.getppid() if "MAKELEVEL" in given else None

    def run(self) -> None:
        """Return when asked to stop; raises CannotStart. Nothing that it started is left running."""
        try:
            with ExitStack() as stops:
                self._start_everything(stops)
                self._watch()
        except StopRequested:
            pass
        say("Stopped.")

    def request_stop(self, *_: object) -> None:
        """Called by signals, in the middle of anything: it waits for no lock, whose holder may be what it stopped."""
        self.stop_requested = True

    def _start_everything(self, stops: ExitStack) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        start = plan_start(self.root, self.given)
        variables = start.variables if start.has_own_database else {**start.variables, **self._database(stops)}
        self._prepare(variables)
        # What answers requests never holds the owner's login.
        self._serve(start, {**variables, "DATABASE_OWNER_URL": ""}, stops)
        say(welcome(start))

    def _database(self, stops: ExitStack) -> dict[str, str]:
        server = EmbeddedPostgres(self.folder / "postgres")
        stops.callback(server.stop)
        with step("PostgreSQL is running"):
            try:
                server.start()
            except EmbeddedPostgresError as problem:
                raise CannotStart(str(problem)) from None
            server.ensure_database(DATABASE)
        assert server.process  # noqa: S101 - it has just been started
        self.children.append(Child("PostgreSQL", server.process, server.log))
        return {"DATABASE_URL": server.web_url(DATABASE), "DATABASE_OWNER_URL": server.owner_url(DATABASE)}

    def _prepare(self, variables: Mapping[str, str]) -> None:
        log = self.folder / "prepare.log"
        with step("The database is ready: roles, migrations, reference and demonstration data"), ExitStack() as stops:
            process = self._start(self.commands.prepare, variables, stops, 5.0, log)
            while process.poll() is None:
                self._pause()
            if process.returncode:
                problem = f"The database could not be made ready:\n{processes.last_lines(log, 30)}"
                raise CannotStart(problem, exit_code=2 if process.returncode == 2 else 1)

    def _serve(self, start: Start, variables: Mapping[str, str], stops: ExitStack) -> None:
        with step("The product answers"):
            addresses = [(start.port, "/healthz/live"), (start.port, "/healthz/ready")]
            if start.provider_port:
                self._start_provider(start.provider_port, variables, stops)
                addresses.append((start.provider_port, "/.well-known/openid-configuration"))
            process = self._start(self.commands.web, variables, stops, PATIENCE["web"])
            self.children.append(Child("The web server", process))
            for port, path in addresses:
                self._wait_until_ready(port, path)

    def _start_provider(self, port: int, variables: Mapping[str, str], stops: ExitStack) -> None:
        log = self.folder / "identity-provider.log"
        process = self._start([*self.commands.provider, str(port)], variables, stops, PATIENCE["provider"], log)
        self.children.append(Child("The identity provider", process, log))

    def _start(
        self,
        command: list[str],
        variables: Mapping[str, str],
        stops: ExitStack,
        patience: float,
        log: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        with ExitStack() as files:
            output = files.enter_context(log.open("wb")) if log else None
            process = processes.start(command, environment=variables, folder=ROOT, output=output)
        stops.callback(processes.stop, process, signal.SIGTERM, patience)
        return process

    def _wait_until_ready(self, port: int, path: str) -> None:
        deadline = time.monotonic() + START_LIMIT
        while problem := problems_of(port, path):
            self._require_all_alive()
            if time.monotonic() > deadline:
                raise CannotStart(f"{path} is not ready after {START_LIMIT:g} seconds: {problem}.", exit_code=1)
            self._pause()

    def _watch(self) -> None:
        while True:
            self._require_all_alive()
            self._pause(0.2)

    def _require_all_alive(self) -> None:
        for child in self.children:
            if child.process.poll() is not None:
                raise CannotStart(child.obituary(), exit_code=1)

    def _pause(self, seconds: float = 0.05) -> None:
        time.sleep(seconds)
        if self.stop_requested or self._is_abandoned():
            raise StopRequested

    def _is_abandoned(self) -> bool:
        # `make run` was killed, so that nobody is left whose Ctrl-C would reach us.
        return self.make is not None and os.getppid() != self.make


def main() -> int:
    return run(LocalRun(ROOT, os.environ, Commands()))


def run(local: LocalRun) -> int:
    """Run, and give the exit code; signals only take note, so that nothing is started and then forgotten."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, local.request_stop)
    try:
        local.run()
    except CannotStart as problem:
        sys.stderr.write(f"{problem}\n")
        return problem.exit_code
    return 0


def welcome(start: Start) -> str:
    """The address, who can sign in, and how to stop."""
    address = f"MarketEdge is running at {start.variables['PUBLIC_URL']} - Ctrl-C stops it."
    if not start.provider_port:
        return f"\n{address}\nPeople sign in at the provider that OIDC_ISSUER names."
    people = "\n".join(f"  {person.name:<17} {person.says}" for person in PEOPLE)
    return f"\n{address}\nThe sign-in page lists these people; choose one:\n{people}\n"


@contextmanager
def step(what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    say(f"{time.monotonic() - began:5.1f} s  {what}")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
