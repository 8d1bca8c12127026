"""Secrets that are generated once and kept, each in a file that only its owner may read."""

import os
import secrets
from pathlib import Path


def kept_secret(path: Path) -> str:
    """The secret in this file, made on first use; 64 characters that need no quoting in an address."""
    if not path.exists():
        _write(path, secrets.token_urlsafe(48))
    return path.read_text(encoding="ascii").strip()


def _write(path: Path, secret: str) -> None:
    # Whole or not at all: a start that is killed here must not leave half a secret behind.
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret)
    unfinished.replace(path)
