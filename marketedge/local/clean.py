"""`python -m marketedge.local.clean` removes the databases of this checkout, wherever they lie."""

import shutil
import sys
from pathlib import Path

from marketedge.local.locks import take_lock
from marketedge.local.place import home_of

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    folders = [path for path in (ROOT / ".local").glob("*") if (path / "launcher.lock").exists()]
    if any(take_lock(folder / "launcher.lock") is None for folder in folders):
        sys.stderr.write("MarketEdge or its tests run in this folder: stop them first.\n")
        return 1
    for folder in folders:
        remove(folder)
    return 0


def remove(folder: Path) -> None:
    """Remove the database that was asked for in this folder, passwords and log included."""
    for path in {home_of(folder), folder}:
        if path.exists():
            shutil.rmtree(path)


if __name__ == "__main__":
    sys.exit(main())
