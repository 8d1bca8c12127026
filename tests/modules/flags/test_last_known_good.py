"""The file of the last good release: replaced in one step, readable for nobody else, ignored when it is not ours."""

import json
import os
import stat
from pathlib import Path

import pytest
from django.core import signing

from modules.flags import last_known_good, watching
from tests.modules.flags.documents import body, document

TEXT = document(wanted=body())


@pytest.fixture
def file(settings, tmp_path) -> Path:
    settings.FLAGS_FILE = str(tmp_path / "flags")
    return tmp_path / "flags"


def test_what_was_written_is_read(file):
    last_known_good.write(7, TEXT)

    assert last_known_good.read() == (7, TEXT)


def test_it_is_for_the_process_alone_and_nothing_else_is_left(file):
    last_known_good.write(7, TEXT)
    last_known_good.write(8, TEXT)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(file.parent) == ["flags"]


def test_without_the_setting_there_is_no_file(settings):
    settings.FLAGS_FILE = ""

    last_known_good.write(7, TEXT)

    assert last_known_good.read() is None


def test_a_file_that_is_not_there_is_no_news(file, caplog):
    assert last_known_good.read() is None
    assert caplog.text == ""


def test_where_nothing_can_be_written_the_log_says_so(settings, tmp_path, caplog):
    settings.FLAGS_FILE = str(tmp_path / "missing" / "flags")

    last_known_good.write(7, TEXT)

    assert "could not be written to FLAGS_FILE" in caplog.text


def test_what_is_no_file_is_neither_read_nor_replaced(file, caplog):
    os.mkfifo(file)

    last_known_good.write(7, TEXT)

    assert (last_known_good.read(), stat.S_ISFIFO(file.stat().st_mode)) == (None, True)
    assert caplog.text.count("what is there is not a file") == 2


@pytest.mark.parametrize("change", [{"SECRET_KEY": "another-installation" * 4}, {"NAME": "other_database"}])
def test_a_file_of_another_installation_is_ignored(file, settings, monkeypatch, caplog, change):
    last_known_good.write(7, TEXT)
    if "SECRET_KEY" in change:
        settings.SECRET_KEY = change["SECRET_KEY"]
    else:
        monkeypatch.setitem(settings.DATABASES["default"], "NAME", change["NAME"])

    assert last_known_good.read() is None
    assert "of another installation" in caplog.text


def signed(content: str) -> str:
    return last_known_good._signer().sign(content)


@pytest.mark.parametrize("content", ["", "{", "\x00", json.dumps({"version": 7, "document": TEXT})])
def test_a_file_that_nobody_signed_is_ignored(file, caplog, content):
    file.write_text(content)

    assert last_known_good.read() is None
    assert "is ignored" in caplog.text


@pytest.mark.parametrize("content", ["[]", "{}", '{"version": "x", "document": ""}', "no JSON"])
def test_a_file_that_says_something_else_is_ignored(file, caplog, content):
    file.write_text(signed(content))

    assert last_known_good.read() is None
    assert "is ignored" in caplog.text


def test_a_file_that_is_no_text_is_ignored(file, caplog):
    file.write_bytes(b"\xff\xfe\x00")

    assert last_known_good.read() is None
    assert "is ignored" in caplog.text


def test_its_signature_is_no_other_ones(file):
    file.write_text(signing.Signer().sign(json.dumps({"version": 7, "document": TEXT})))

    assert last_known_good.read() is None


@pytest.fixture
def without_database(monkeypatch):
    def refuse(known: int) -> None:
        from django.db import OperationalError

        raise OperationalError("connection refused")

    monkeypatch.setattr(watching, "newest_unless", refuse)


def test_a_process_that_starts_without_the_database_begins_with_the_file(file, without_database, watchers):
    last_known_good.write(7, TEXT)
    watcher = watchers()

    assert sorted(watcher.current().flags) == ["wanted"]
    assert [getattr(watcher.state(), name) for name in ("version", "source", "is_stale")] == [7, "file", True]


@pytest.mark.parametrize("text", ["no JSON", '{"format": 2, "flags": {}}'])
def test_a_file_with_a_document_that_cannot_be_read_is_ignored(file, without_database, caplog, text, watchers):
    last_known_good.write(7, text)
    watcher = watchers()

    assert watcher.current().flags == {}
    assert "The file of the last known good flags is ignored" in caplog.text
