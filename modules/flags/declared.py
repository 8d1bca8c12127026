"""Which flags does the code ask for? Declared here or by a module's spec, and held against the code itself."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

FLOORS = ("marketedge", "modules", "accounts", "tenants", "templates")

# Keys that code outside of analytics modules asks for, and what for. A module declares its own in its ModuleSpec.
DECLARED: dict[str, str] = {}

# Others who know keys that are asked for: each says them, with who asks.
_sources: list[Callable[[], Mapping[str, str]]] = []

READER = "modules.flags.evaluation"
ASKING = {"is_on", "value", "explain"}
DECORATOR = "needs_flag"
IN_TEMPLATES = re.compile(r"{%\s*flag(?:_value)?\s+[\"']([^\"']+)[\"']")


class Use(NamedTuple):
    """The key is asked for in this file, at this line."""

    key: str
    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


def tell(source: Callable[[], Mapping[str, str]]) -> None:
    """Let somebody else say which keys are asked for; called when flags are held against the code."""
    if source not in _sources:
        _sources.append(source)


def asked_for() -> dict[str, str]:
    """Every key that the code declares, with who asks for it."""
    return {key: asker for source in _sources for key, asker in source().items()} | DECLARED


def uses(root: Path) -> list[Use]:
    """Every place below the product's folders that asks for a flag by a key that is written there."""
    found: list[Use] = []
    for floor in FLOORS:
        for path in sorted((root / floor).rglob("*")):
            if path.suffix in {".py", ".html", ".txt"}:
                name = str(path.relative_to(root))
                found += [Use(key, name, line) for key, line in _in_file(path)]
    return found


def _in_file(path: Path) -> Iterator[tuple[str, int]]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from in_code(text)
        return
    for number, line in enumerate(text.splitlines(), start=1):
        yield from ((match[1], number) for match in IN_TEMPLATES.finditer(line))


def in_code(text: str) -> Iterator[tuple[str, int]]:
    """Keys and lines, of calls to the reader of flags by whatever name it is imported."""
    if "flag" not in text:
        return
    tree = ast.parse(text)
    modules, functions = _names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _asks(node.func, modules, functions):
            key = node.args[0] if node.args else None
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, node.lineno


def _names(tree: ast.AST) -> tuple[set[str], set[str]]:
    """What the file calls the reader, and what it calls the functions that ask."""
    modules, functions = set(), set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            called, whole = alias.asname or alias.name, f"{node.module}.{alias.name}"
            if whole == READER:
                modules.add(called)
            elif (node.module == READER and alias.name in ASKING) or alias.name == DECORATOR:
                functions.add(called)
    return modules, functions


def _asks(function: ast.expr, modules: set[str], functions: set[str]) -> bool:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return function.value.id in modules and function.attr in ASKING
    return isinstance(function, ast.Name) and function.id in functions


def undeclared(used: list[Use], declared: set[str]) -> list[Use]:
    return [use for use in used if use.key not in declared]


def unused(used: list[Use], declared: set[str]) -> list[str]:
    return sorted(declared - {use.key for use in used})
