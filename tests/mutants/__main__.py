"""Takes out each listed guard in turn and requires that a test goes red: `make mutants`.

With words: only the guards whose names hold one of them.

A guard whose absence fails no test is already gone. Each mutant is one replaced text in a copy of the project.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from marketedge.local.clean import remove
from tests.mutants import MUTANTS, ROOT
from tests.mutants.mutant import Mutant

LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".local", "__pycache__", ".mypy_cache", ".ruff_cache", "static_collected"
)

LONGEST = 600  # seconds for the tests of one


def main() -> int:
    chosen = [mutant for mutant in MUTANTS if not sys.argv[1:] or any(word in mutant.guard for word in sys.argv[1:])]
    survivors = [mutant.guard for mutant in chosen if survives(mutant)]
    sys.stdout.write(f"{len(chosen) - len(survivors)} of {len(chosen)} guards are held by tests.\n")
    return 1 if survivors else 0


def survives(mutant: Mutant) -> bool:
    with tempfile.TemporaryDirectory(prefix="marketedge-mutant-") as folder:
        copy = Path(folder) / "project"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        take_out(mutant, copy)
        code, said = tested(mutant, copy)
        # Its database may lie outside the copy, and would outlive it.
        remove(copy / ".local" / "test-postgres")
    # 1: tests failed, as they must; anything else (0 green, 2 and up: not even run) does not show the guard.
    is_caught = code == 1
    sys.stdout.write(f"{'caught  ' if is_caught else 'SURVIVED'} {mutant.guard} ({mutant.tests})\n")
    if not is_caught:
        sys.stdout.write(said[-1500:])
    return not is_caught


def tested(mutant: Mutant, copy: Path) -> tuple[int | None, str]:
    """The exit code of its tests and what they said. Without a code they wait for something that never comes."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *mutant.tests.split()]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    try:
        ended = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        return None, f"Its tests did not end within {LONGEST} seconds.\n"
    return ended.returncode, ended.stdout


def take_out(mutant: Mutant, copy: Path) -> None:
    path = copy / mutant.path
    path.write_text(path.read_text().replace(mutant.text, mutant.without))


if __name__ == "__main__":
    sys.exit(main())
