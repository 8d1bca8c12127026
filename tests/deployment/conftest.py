"""A folder with exactly what the image holds, built by the commands of the Dockerfile, and a database for it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deployment.files import let_in, of_image
from tests.environment import ROOT, SETTINGS
from tests.marketedge.serving import free_port
from tests.migrations.databases import Database, database

BIN = Path(sys.executable).parent
USER = of_image("USER")[0].partition(":")[0]


@dataclass(frozen=True)
class Image:
    """`folder` is what is at /marketedge, `temporary` what is mounted at /tmp: the one place that can be written to."""

    folder: Path
    temporary: Path
    database: Database

    @property
    def preset(self) -> dict[str, str]:
        """The image's own variables, but for where programs are; BIND is given by whoever listens."""
        spoken = dict(word.split("=", 1) for text in of_image("ENV") for word in text.split())
        kept = {name: value for name, value in spoken.items() if name.startswith("PYTHON")}
        return {**kept, "PATH": f"{BIN}:{os.defpath}", "TMPDIR": str(self.temporary)}

    @property
    def production(self) -> dict[str, str]:
        """Of the web; the release step gets the owner's login on top."""
        without = {"STATIC_HASHED", "RELEASE_COMMIT"}
        settings = {name: value for name, value in SETTINGS.items() if name not in without}
        return {**self.preset, **settings, "DATABASE_URL": self.database.environment["DATABASE_URL"]}

    def start(self, words: list[str], **changes: str) -> subprocess.Popen[str]:
        """In the image as it runs: as its user, without a home, without a terminal."""
        program = shutil.which(words[0], path=self.preset["PATH"]) or words[0]
        return subprocess.Popen(
            [*as_user(), program, *words[1:]],
            cwd=self.folder,
            env={**self.production, **changes},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, words: list[str], **changes: str) -> tuple[int, str]:
        process = self.start(words, **changes)
        output, _ = process.communicate(timeout=120)
        return process.returncode, output

    @contextmanager
    def serving(self, command: list[str], **changes: str) -> Iterator[int]:
        """The port that the command listens at; it is told to end by SIGTERM."""
        port = free_port()
        process = self.start(command, BIND=f"127.0.0.1:{port}", **changes)
        try:
            yield port
        finally:
            process.terminate()
            output, _ = process.communicate(timeout=40)
        assert process.returncode == 0, output


def as_user() -> list[str]:
    """Root becomes the image's user; others are unprivileged already, and the files are not theirs to write."""
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if os.geteuid() == 0 else []


def require_user_can_run_python() -> None:
    # The interpreter may lie elsewhere than its packages: both have to be within reach.
    tried = subprocess.run([*as_user(), sys.executable, "-c", "import django"], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip("the image's user may not enter the folder of this Python: run the tests as an ordinary user")


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    require_user_can_run_python()
    # Not below pytest's folder, which only its own user may enter.
    place = Path(tempfile.mkdtemp(prefix="marketedge-image-"))
    try:
        place.chmod(0o755)
        with database("marketedge_image") as made:
            built = Image(place / "marketedge", place / "tmp", made)
            _build(built)
            yield built
    finally:
        _make_writable(place)
        shutil.rmtree(place)


def _build(image: Image) -> None:
    image.temporary.mkdir()
    image.temporary.chmod(0o1777)
    for path in let_in():
        (image.folder / path.parent).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, image.folder / path)
    for command in of_image("RUN"):
        # As root, and with nothing in the environment but what the image has by then.
        subprocess.run(["/bin/sh", "-c", command], cwd=image.folder, env=image.preset, check=True)
    for path in [image.folder, *image.folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def _make_writable(place: Path) -> None:
    for path in [place, *place.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
