"""The embedded PostgreSQL starts whatever came before, keeps its data, and never outlives who started it."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from marketedge.local import place
from marketedge.local.clean import remove
from marketedge.local.place import home_of
from marketedge.local.postgres import EmbeddedPostgres, EmbeddedPostgresError

pytestmark = pytest.mark.served
LAUNCHER = """
import sys, time
from pathlib import Path
from marketedge.local.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
server.start()
print(server.port, flush=True)
time.sleep(60)
"""


def started(folder: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder, durable=False)


def ask(server: EmbeddedPostgres, query: str, database: str = "postgres") -> tuple[object, ...] | None:
    with psycopg.connect(server.owner_url(database), autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchone() if cursor.description else None


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def stops_listening(port: int, within: float = 10) -> bool:
    deadline = time.monotonic() + within
    while is_listening(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_the_owner_makes_roles_and_databases_and_is_held_by_row_security(folder: Path) -> None:
    rights = "SELECT rolcreaterole, rolcreatedb, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"

    with started(folder) as server:
        assert ask(server, rights) == (True, True, False, False)


def test_a_database_is_made_once_and_belongs_to_the_owner(folder: Path) -> None:
    with started(folder) as server:
        server.ensure_database("marketedge")
        server.ensure_database("marketedge")

        assert ask(server, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'marketedge'") == (
            "marketedge_owner",
        )


def test_a_wrong_password_is_refused(folder: Path) -> None:
    with started(folder) as server:
        wrong = server.owner_url("postgres").replace(":", ":x", 2).replace("postgresql:x", "postgresql:")

        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)


def test_data_and_passwords_are_there_again_after_a_restart(folder: Path) -> None:
    with started(folder) as server:
        ask(server, "CREATE DATABASE kept")

    with started(folder) as server:
        assert ask(server, "SELECT current_database()", database="kept") == ("kept",)


def test_passwords_are_for_their_owner_alone(folder: Path) -> None:
    with started(folder) as server:
        server.web_url("marketedge")

    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.glob("*.password")}
    assert modes == {f"{login}.password": 0o600 for login in ("postgres", "marketedge_owner", "marketedge_web")}


def test_stopping_leaves_nothing_running(folder: Path) -> None:
    with started(folder) as server:
        port = server.port

    assert not is_listening(port)


def test_a_second_start_in_the_same_folder_gets_one_clear_line(folder: Path) -> None:
    with started(folder), pytest.raises(EmbeddedPostgresError) as refusal:
        started(folder).start()

    assert (
        str(refusal.value)
        == f"MarketEdge, or its tests, already run in this folder (process {os.getpid()}): stop that first."
    )


def test_what_a_killed_server_left_does_not_prevent_the_next_start(folder: Path) -> None:
    with started(folder) as server:
        assert server.process
        server.process.kill()
        server.process.wait()

    # The process that the file names lives again, as something else.
    remains = home_of(folder) / "data" / "postmaster.pid"
    remains.write_text(remains.read_text().replace(str(server.process or ""), str(os.getpid()), 1))

    with started(folder) as server:
        assert ask(server, "SELECT 1") == (1,)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_killing_the_launcher_ends_the_server_and_the_next_start_works_at_once(folder: Path) -> None:
    command = [sys.executable, "-c", LAUNCHER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as launcher:
        assert launcher.stdout
        port = int(launcher.stdout.readline())
        launcher.send_signal(signal.SIGKILL)

    with started(folder) as server:
        assert ask(server, "SELECT 1") == (1,)
    assert stops_listening(port)


def test_whoever_deletes_the_folder_starts_afresh(folder: Path) -> None:
    with started(folder) as server:
        ask(server, "CREATE DATABASE gone")
    for path in folder.glob("*.password"):
        path.unlink()

    with started(folder) as server:
        assert ask(server, "SELECT datname FROM pg_database WHERE datname = 'gone'") is None


def test_removing_leaves_no_files(folder: Path) -> None:
    with started(folder):
        pass

    remove(folder)

    assert not folder.exists()
    assert not home_of(folder).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps data outside the checkout")
class TestAsRoot:
    @pytest.fixture(autouse=True)
    def reachable(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(place, "REACHABLE", tmp_path)
        monkeypatch.setattr(place, "_copy_of", lambda wheel: wheel)

    def test_the_data_belong_to_an_unprivileged_user_alone(self, folder: Path) -> None:
        found = place.place_for(folder)

        state = found.home.stat()
        assert found.account
        assert found.account.user != 0
        assert (state.st_uid, state.st_mode & 0o777) == (found.account.user, 0o700)

    def test_a_link_in_the_place_of_the_data_is_refused(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        home_of(folder).symlink_to(tmp_path / "elsewhere")

        with pytest.raises(EmbeddedPostgresError, match="is a link, or not ours alone"):
            started(folder).start()
        home_of(folder).unlink()

    def test_somebody_elses_folder_in_the_place_of_the_data_is_refused(self, folder: Path) -> None:
        home_of(folder).mkdir(mode=0o700)
        os.chown(home_of(folder), 12345, 12345)

        with pytest.raises(EmbeddedPostgresError, match="is a link, or not ours alone"):
            started(folder).start()

    def test_a_folder_that_others_may_enter_is_refused(self, folder: Path) -> None:
        home_of(folder).mkdir()
        home_of(folder).chmod(0o755)

        with pytest.raises(EmbeddedPostgresError, match="is a link, or not ours alone"):
            started(folder).start()
