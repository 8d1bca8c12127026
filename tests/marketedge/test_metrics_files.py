"""Where workers keep what they count: one folder for a server, one place for each living worker, nothing left over."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from marketedge import metrics_files
from tests.marketedge.logged import json_log


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_files, "_taken", set())
    monkeypatch.setattr(metrics_files, "_folder", None)
    monkeypatch.setenv(metrics_files.VARIABLE, "")


def worker() -> Any:
    metrics_files.take_place(new := SimpleNamespace())
    return new


def test_the_lowest_place_that_is_free_is_taken():
    first, second, third = worker(), worker(), worker()
    metrics_files.leave_place(second)

    assert [first.place, second.place, third.place, worker().place, worker().place] == [0, 1, 2, 1, 3]


def test_the_folder_is_new_private_and_told_to_the_workers(tmp_path):
    metrics_files.make([str(tmp_path)])

    folder = Path(os.environ[metrics_files.VARIABLE])
    assert (folder.parent, folder.stat().st_mode & 0o777, list(folder.iterdir())) == (tmp_path, 0o700, [])


def test_the_folder_goes_with_the_server(tmp_path):
    metrics_files.make([str(tmp_path)])
    (Path(os.environ[metrics_files.VARIABLE]) / "counter_0.db").touch()

    metrics_files.remove()

    assert list(tmp_path.iterdir()) == []


def test_what_servers_left_that_were_killed_goes_and_what_others_use_stays(tmp_path):
    names = ("4194999-a", f"{os.getppid()}-b", "x-c")
    gone, used, strange = (tmp_path / f"marketedge-metrics-{name}" for name in names)
    for folder in (gone, used, strange):
        folder.mkdir()

    metrics_files.make([str(tmp_path)])

    assert (gone.exists(), used.exists(), strange.exists()) == (False, True, True)


def test_a_place_that_takes_no_folder_is_passed_over(tmp_path):
    metrics_files.make([str(tmp_path / "nowhere"), str(tmp_path)])

    assert Path(os.environ[metrics_files.VARIABLE]).parent == tmp_path


def test_a_server_without_any_place_starts_and_says_so(tmp_path):
    with json_log() as log:
        metrics_files.make([str(tmp_path / "nowhere")])

    assert "no place for the workers' metrics" in log.lines[0]["message"]
    assert os.environ[metrics_files.VARIABLE] == ""


def test_what_a_worker_was_in_the_middle_of_ends_with_it_and_what_it_counted_stays(tmp_path):
    metrics_files.make([str(tmp_path)])
    folder = Path(os.environ[metrics_files.VARIABLE])
    dead, alive = worker(), worker()
    for name in ("gauge_livesum_0.db", "gauge_livesum_1.db", "counter_0.db"):
        (folder / name).touch()

    metrics_files.leave_place(dead)

    assert sorted(path.name for path in folder.iterdir()) == ["counter_0.db", "gauge_livesum_1.db"]
    assert alive.place == 1
