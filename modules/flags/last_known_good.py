"""The last release that this installation read, in a file: for a process that begins while the database is down.

It is signed with SECRET_KEY over the database's address, so that another installation's file, or a file that somebody
else wrote, is no file. It holds names of people and organisations: nobody but the process may read it.
"""

import json
import logging
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import signing

logger = logging.getLogger(__name__)
LARGEST = 50 * 1024 * 1024  # bytes


def read() -> tuple[int, str] | None:
    """Number and document of the release; None where there is no file, or none that can be trusted."""
    if not settings.FLAGS_FILE:
        return None
    path = Path(settings.FLAGS_FILE)
    try:
        _require_file(path)
        if path.stat().st_size > LARGEST:
            raise ValueError("it is too large")
        kept = json.loads(_signer().unsign(path.read_text(encoding="utf-8")))
        return int(kept["version"]), str(kept["document"])
    except FileNotFoundError:
        return None
    except signing.BadSignature:
        reason = "it is damaged, or of another installation"
    except (OSError, ValueError, KeyError, TypeError) as fault:
        reason = str(fault)
    logger.warning("The file of the last known good flags, FLAGS_FILE, is ignored: %s.", reason)
    return None


def write(version: int, document: str) -> None:
    """Replace the file in one step; where that cannot be done, the log says so and the process goes on."""
    if not settings.FLAGS_FILE:
        return
    path = Path(settings.FLAGS_FILE)
    try:
        with suppress(FileNotFoundError):
            _require_file(path)
        _replace(path, _signer().sign(json.dumps({"version": version, "document": document})))
    except OSError as fault:
        logger.warning("The last known good flags could not be written to FLAGS_FILE: %s.", fault)


def _require_file(path: Path) -> None:
    """A device or a pipe is neither read nor replaced: it may have no end, and everybody else needs it as it is."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError("what is there is not a file")


def _replace(path: Path, text: str) -> None:
    # mkstemp makes it readable for nobody else from the beginning.
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def _signer() -> signing.Signer:
    database: dict[str, Any] = settings.DATABASES["default"]
    address = ":".join(str(database.get(part, "")) for part in ("HOST", "PORT", "NAME"))
    return signing.Signer(salt=f"flags.last_known_good:{address}")
