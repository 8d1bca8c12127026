"""Databases of their own beside the tests' one, for what migrations do to a whole database."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from tests.environment import ROOT, SETTINGS


@dataclass(frozen=True)
class Database:
    """One database, with the owner's and the web's address of it."""

    name: str

    @property
    def owner_url(self) -> str:
        return _address(os.environ["DATABASE_OWNER_URL"], self.name)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **SETTINGS,
            "PATH": os.environ["PATH"],
            "DATABASE_URL": _address(os.environ["DATABASE_URL"], self.name),
            "DATABASE_OWNER_URL": self.owner_url,
        }

    @contextmanager
    def session(self, **options: Any) -> Iterator[psycopg.Connection]:
        """Connected as the owner, past Django."""
        with psycopg.connect(self.owner_url, **options) as session:
            yield session

    def rows(self, query: str) -> list[Any]:
        with self.session() as session:
            return session.execute(query).fetchall()

    def start(self, *arguments: str, **changes: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**self.environment, **changes},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def manage(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **changes)
        output, errors = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    def must(self, *arguments: str) -> str:
        told = self.manage(*arguments)
        assert told.returncode == 0, told.stdout + told.stderr
        return told.stdout


@contextmanager
def database(name: str, like: Database | None = None) -> Iterator[Database]:
    """An empty database, or a copy of another one; dropped at the end, whoever is still connected."""
    made, template = sql.Identifier(name), sql.Identifier(like.name if like else "template1")
    with psycopg.connect(_address(os.environ["DATABASE_OWNER_URL"], "postgres"), autocommit=True) as session:
        _drop(session, made)
        session.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(made, template))
        try:
            yield Database(name)
        finally:
            _drop(session, made)


def _drop(session: psycopg.Connection, made: sql.Identifier) -> None:
    """The cluster's own vacuum may be in it for a moment: nobody but the superuser may end that."""
    for is_last in (False,) * 20 + (True,):
        try:
            session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(made))
            return
        except psycopg.errors.InsufficientPrivilege:
            if is_last:
                raise
            time.sleep(0.5)


def _address(url: str, name: str) -> str:
    return f"{url.rpartition('/')[0]}/{name}"
