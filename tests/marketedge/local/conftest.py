"""Folders for embedded databases that leave nothing behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from marketedge.local.clean import remove


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody else may enter, as a checkout's can be."""
    tmp_path.chmod(0o700)
    yield tmp_path / "postgres"
    remove(tmp_path / "postgres")
