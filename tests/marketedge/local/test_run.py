"""The one-command start begins, watches and ends its processes; stand-ins play the web server and the provider."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from marketedge.local import processes
from marketedge.local.clean import remove

pytestmark = pytest.mark.served
ROOT = Path(__file__).resolve().parents[3]
STAND_IN = [sys.executable, str(Path(__file__).with_name("stand_in.py"))]
FINE = [sys.executable, "-c", ""]
REAL: dict[str, list[str]] = {"real": []}
ELSEWHERE = "postgres://marketedge:none@127.0.0.1:1/marketedge"
STARTER = """
import json, os, sys
from pathlib import Path
from marketedge.local.run import Commands, LocalRun, run
sys.exit(run(LocalRun(Path(sys.argv[1]), os.environ, Commands(**json.loads(sys.argv[2])))))
"""

# What a handler waits for, the line that it interrupted may hold.
INTERRUPTED_AT_EACH_LINE = """
import os, signal, sys
from pathlib import Path
from marketedge.local.run import Commands, LocalRun, StopRequested
local = LocalRun(Path("."), os.environ, Commands())
signal.signal(signal.SIGINT, local.request_stop)
def at_each_line(*_):
    signal.raise_signal(signal.SIGINT)
    return at_each_line
sys.settrace(at_each_line)
try:
    local._pause()
except StopRequested:
    sys.settrace(None)
    print("stopped")
"""


def says_and_ends(words: str, code: int) -> list[str]:
    return [sys.executable, "-c", f"import sys; print({words!r}); sys.exit({code})", "--"]


class Started:
    """A start in the background, and what it printed so far."""

    def __init__(self, root: Path, commands: dict[str, list[str]], variables: dict[str, str]) -> None:
        self.port = processes.free_port()
        stand_ins = {"prepare": FINE, "provider": STAND_IN, "web": STAND_IN}
        chosen = {} if commands == REAL else {**stand_ins, **commands}
        self.process = subprocess.Popen(
            [sys.executable, "-c", STARTER, str(root), json.dumps(chosen)],
            env={"PATH": os.environ["PATH"], "PORT": str(self.port), **variables},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.printed = ""

    def wait_for(self, words: str) -> None:
        assert self.process.stdout
        while words not in self.printed:
            line = self.process.stdout.readline()
            assert line, self.printed
            self.printed += line

    def end(self) -> int:
        self.printed += self.process.communicate(timeout=40)[0]
        return self.process.returncode


@contextmanager
def starting(root: Path, commands: dict[str, list[str]] | None = None, **variables: str) -> Iterator[Started]:
    database = {"DATABASE_URL": ELSEWHERE, "DATABASE_OWNER_URL": ELSEWHERE}
    started = Started(root, commands or {}, variables or database)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.communicate()


def becomes_free(port: int, within: float = 10) -> bool:
    deadline = time.monotonic() + within
    while not processes.is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_runs_and_stops_everything_when_told(tmp_path: Path, number: signal.Signals) -> None:
    with starting(tmp_path) as started:
        started.wait_for("Ctrl-C stops it.")
        assert not processes.is_free(started.port)
        started.process.send_signal(number)

        assert started.end() == 0
        assert started.printed.endswith("Stopped.\n")
        assert processes.is_free(started.port)


def test_it_names_the_people_who_can_sign_in(tmp_path: Path) -> None:
    with starting(tmp_path) as started:
        started.wait_for("Jack Thornbury")

        assert f"running at http://127.0.0.1:{started.port} " in started.printed
        assert "Sana Whitlock" in started.printed


def test_it_starts_and_stops_its_own_database(tmp_path: Path) -> None:
    show = [sys.executable, "-c", "import os; print(os.environ['DATABASE_URL'], os.environ['DATABASE_OWNER_URL'])"]
    try:
        with starting(tmp_path, {"prepare": show}, CONTACT="somebody@example.com") as started:
            started.wait_for("Ctrl-C stops it.")
            started.process.send_signal(signal.SIGINT)
            assert started.end() == 0
        told = (tmp_path / ".local" / "prepare.log").read_text()
        found = re.fullmatch(
            r"postgresql://marketedge_web:\S+:(\d+)/marketedge postgresql://marketedge_owner:\S+\n", told
        )
        assert found
        assert processes.is_free(int(found[1]))
    finally:
        remove(tmp_path / ".local" / "postgres")


def test_what_answers_requests_never_holds_the_owners_login(tmp_path: Path) -> None:
    tells = [sys.executable, "-c", "import os; print(f'owner=<{os.environ[\"DATABASE_OWNER_URL\"]}>')"]
    with starting(tmp_path, {"web": tells}) as started:
        assert started.end() == 1

        assert "owner=<>" in started.printed


def test_a_process_that_ends_stops_everything_and_its_last_lines_are_shown(tmp_path: Path) -> None:
    with starting(tmp_path, {"provider": says_and_ends("no key to sign with", 3)}) as started:
        assert started.end() == 1
        assert "The identity provider ended unexpectedly (exit code 3).\nno key to sign with" in started.printed
        assert processes.is_free(started.port)


def test_a_web_server_that_ends_later_stops_everything(tmp_path: Path) -> None:
    dies = [
        *STAND_IN[:1],
        "-c",
        f"import signal, runpy; signal.alarm(2); runpy.run_path({STAND_IN[1]!r}, None, '__main__')",
    ]
    with starting(tmp_path, {"web": dies}) as started:
        started.wait_for("Ctrl-C stops it.")

        assert started.end() == 1
        assert "The web server ended unexpectedly (killed by SIGALRM)." in started.printed


@pytest.mark.parametrize(("code", "expected"), [(2, 2), (1, 1), (7, 1)])
def test_a_database_that_cannot_be_prepared_ends_the_start(tmp_path: Path, code: int, expected: int) -> None:
    with starting(tmp_path, {"prepare": says_and_ends("CONTACT is not set.", code)}) as started:
        assert started.end() == expected
        assert started.printed == "The database could not be made ready:\nCONTACT is not set.\n"


def test_it_can_be_stopped_while_the_database_is_prepared(tmp_path: Path) -> None:
    note = tmp_path / "begun"
    slow = [sys.executable, "-c", f"import time; open({str(note)!r}, 'w'); time.sleep(60)"]
    with starting(tmp_path, {"prepare": slow}) as started:
        while not note.exists():
            time.sleep(0.05)
        started.process.send_signal(signal.SIGINT)

        assert started.end() == 0
        assert started.printed == "Stopped.\n"


def test_a_signal_at_any_moment_stops_it_and_waits_for_nothing() -> None:
    told = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_AT_EACH_LINE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=40,
        check=True,
    )

    assert told.stdout == "stopped\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_killing_it_leaves_no_server_behind(tmp_path: Path) -> None:
    with starting(tmp_path) as started:
        started.wait_for("Ctrl-C stops it.")
        started.process.kill()
        started.end()

        assert becomes_free(started.port)


def test_a_problem_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("hunter2\n")

    with starting(tmp_path) as started:
        assert started.end() == 2
        assert started.printed == ".env line 1 is not NAME=value.\n"


def test_the_product_itself_starts_in_an_empty_folder_and_leads_to_its_provider(tmp_path: Path) -> None:
    try:
        with starting(tmp_path, REAL, DEMONSTRATION="on") as started:
            started.wait_for("Ctrl-C stops it.")
            ready, summary = get(started.port, "/healthz/ready"), json.loads(get(started.port, "/health"))
            started.process.send_signal(signal.SIGINT)

            assert json.loads(ready) == {"status": "ready", "warnings": {}}
            assert (summary["status"], summary["mode"]) == ("healthy", "demonstration")
            assert started.end() == 0
    finally:
        remove(tmp_path / ".local" / "postgres")


def get(port: int, path: str) -> bytes:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


def test_it_stops_when_the_make_that_started_it_is_killed(tmp_path: Path) -> None:
    starter = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {STARTER!r}, *sys.argv[1:]])
"""
    port = processes.free_port()
    commands = {"prepare": FINE, "provider": STAND_IN, "web": STAND_IN}
    variables = {"PORT": str(port), "MAKELEVEL": "1", "DATABASE_URL": ELSEWHERE, "DATABASE_OWNER_URL": ELSEWHERE}
    with subprocess.Popen(
        [sys.executable, "-c", starter, str(tmp_path), json.dumps(commands)],
        env={"PATH": os.environ["PATH"], **variables},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as make:
        assert make.stdout
        while "Ctrl-C stops it." not in make.stdout.readline():
            pass
        make.kill()

        assert becomes_free(port)
        assert make.stdout.read().endswith("Stopped.\n")
