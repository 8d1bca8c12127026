"""One world for all faults, and a table at the end of what each of them cost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.world import World

RESULTS: list[tuple[str, ...]] = []


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world")).running() as whole:
        yield whole


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not RESULTS:
        return
    terminalreporter.section("faults: seconds until each was seen, and until it was over")
    for row in RESULTS:
        terminalreporter.write_line("  ".join(cell.ljust(width) for cell, width in zip(row, WIDTHS, strict=True)))


WIDTHS = (26, 7, 5, 5, 66, 16, 7, 8)
