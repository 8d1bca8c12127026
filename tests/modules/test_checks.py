"""What `manage.py check --deploy` says of flags that code asks for."""

from pathlib import Path

import pytest
from django.core.checks import run_checks

from modules.flags import declared

ASKING = 'from modules.flags import evaluation as flags\n\nflags.is_on("one.more", default=False)\n'


@pytest.fixture
def code(tmp_path: Path, settings) -> Path:
    """A place for code of modules, which is all that there is."""
    settings.BASE_DIR = tmp_path
    (tmp_path / "modules").mkdir()
    return tmp_path / "modules"


def problems() -> list[str]:
    return [found.msg for found in run_checks(tags=["flags"], include_deployment_checks=True)]


def test_a_key_that_code_asks_for_and_nobody_declares_is_an_error(code):
    (code / "asking.py").write_text(ASKING)

    assert problems() == ["modules/asking.py:3: the flag one.more is asked for and declared nowhere."]


def test_a_declared_key_that_no_code_asks_for_is_an_error(code, monkeypatch):
    monkeypatch.setitem(declared.DECLARED, "one.more", "a test")

    assert problems() == ["The flag one.more is declared, and no code asks for it."]


def test_what_is_declared_and_asked_for_is_right(code, monkeypatch):
    monkeypatch.setitem(declared.DECLARED, "one.more", "a test")
    (code / "asking.py").write_text(ASKING)

    assert problems() == []


def test_commands_and_starts_do_not_wait_for_it(code):
    (code / "asking.py").write_text(ASKING)

    assert run_checks(tags=["flags"]) == []
