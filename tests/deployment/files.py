"""Reads the deployment files as their tools would, as far as we use them."""

import re
import shlex
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from tests.environment import ROOT

INSTRUCTIONS = {
    "FROM", "ARG", "ENV", "RUN", "COPY", "WORKDIR", "LABEL", "USER", "EXPOSE", "HEALTHCHECK", "CMD",
}  # fmt: skip
_VARIABLE = re.compile(r"^[A-Z_]+=")


@dataclass(frozen=True)
class Instruction:
    """`text` without line breaks; `stage` counts from 0."""

    kind: str
    text: str
    stage: int


def dockerfile() -> list[Instruction]:
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    found: list[Instruction] = []
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            kind, _, text = line.strip().partition(" ")
            stage = sum(one.kind == "FROM" for one in found) - (kind != "FROM")
            found.append(Instruction(kind, " ".join(text.split()), stage))
    return found


def of_image(kind: str) -> list[str]:
    """What the last stage says by this instruction."""
    last = dockerfile()[-1].stage
    return [one.text for one in dockerfile() if one.kind == kind and one.stage == last]


def variables(text: str) -> tuple[dict[str, str], list[str]]:
    """The assignments that a command begins with, and the rest."""
    words = shlex.split(text)
    count = next((number for number, word in enumerate(words) if not _VARIABLE.match(word)), len(words))
    return dict(word.split("=", 1) for word in words[:count]), words[count:]


def let_in(root: Path = ROOT) -> list[Path]:
    """The files that .dockerignore lets into the image, relative to the project."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    assert patterns[0] == "*", "it names what goes in; all else stays out"
    files = (path.relative_to(root) for name in wanted(patterns) for path in _files(root / name))
    return sorted(path for path in files if not any(_is_left_out(path, pattern) for pattern in left_out(patterns)))


def wanted(patterns: list[str]) -> list[str]:
    return [pattern[1:] for pattern in patterns if pattern.startswith("!")]


def left_out(patterns: list[str]) -> list[str]:
    return [pattern for pattern in patterns[1:] if not pattern.startswith("!")]


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [inner for inner in path.rglob("*") if inner.is_file()]


def _is_left_out(path: Path, pattern: str) -> bool:
    """Docker's patterns as far as we use them: a path, or `**/` and a name at any depth."""
    parts = [path, *path.parents]
    if pattern.startswith("**/"):
        return any(fnmatch(part.name, pattern[3:]) for part in parts)
    return any(str(part) == pattern for part in parts)


def procfile() -> dict[str, str]:
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {name: command.strip() for name, _, command in (line.partition(":") for line in lines)}
