"""The product as it is deployed, for clients outside, with flags of every kind."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.environment import ROOT
from tests.marketedge.serving import gunicorn, wait_for
from tests.migrations.databases import Database, database


@dataclass(frozen=True)
class Outside:
    """Where the product is, the client token of Lumen, and the ids of a member there and of somebody elsewhere."""

    url: str
    database: Database
    token: str
    ben: str
    iris: str

    def kill(self, key: str) -> None:
        _run(self.database, "kill", key)


@contextmanager
def serving(migrated: Database, origin: str) -> Iterator[Outside]:
    """Pages of `origin` may ask too."""
    with database("marketedge_ofrep", like=migrated) as made:
        told = _run(made, "fill")
        changes = {"ALLOWED_HOSTS": "127.0.0.1,marketedge.example", "CORS_ALLOWED_ORIGINS": origin}
        with gunicorn({**made.environment, **changes, "WEB_CONCURRENCY": "1"}) as url:
            wait_for(f"{url}/healthz/ready", 30)
            yield Outside(url, made, **told)


def _run(made: Database, *arguments: str) -> Any:
    command = [sys.executable, "-m", "tests.modules.flags.ofrep.outside", *arguments]
    told = subprocess.run(
        command, cwd=ROOT, env=made.environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return json.loads(told.stdout)
