"""Habits that hold for every file of the product."""

import ast
import importlib
import pkgutil
import re
import time
from pathlib import Path

import pytest

from tests.environment import ROOT

FLOORS = ("marketedge", "modules", "accounts", "tenants")
FILES = [path for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py"))]
IMPORTED = [
    module.name
    for floor in FLOORS
    for module in pkgutil.walk_packages([str(ROOT / floor)], f"{floor}.")
    if not module.name.endswith((".gunicorn.conf", ".__main__"))
]


@pytest.mark.parametrize("name", IMPORTED)
def test_every_module_can_be_imported(name):
    assert importlib.import_module(name)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_nothing_is_asynchronous():
    kinds = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    found = [
        name_of(path)
        for path in FILES
        if any(isinstance(node, kinds) for node in ast.walk(ast.parse(path.read_text())))
    ]

    assert found == []


def test_every_file_says_what_it_is_for():
    may_be_silent = {"urls.py", "admin.py", "apps.py", "__init__.py"}
    silent = [
        name_of(path)
        for path in FILES
        if path.name not in may_be_silent
        and "migrations" not in path.parts
        and ast.get_docstring(ast.parse(path.read_text())) is None
    ]

    assert silent == []


def test_no_file_needs_scrolling_through():
    long = [name_of(path) for path in FILES if len(path.read_text().splitlines()) > 400]

    assert long == []


def test_migrations_do_not_import_our_models():
    found = [
        name_of(path)
        for path in FILES
        if "migrations" in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").endswith(".models")
        and node.module != "django.db.models"
    ]

    assert found == []


@pytest.mark.parametrize("template", sorted((ROOT / "templates").rglob("*.html")), ids=name_of)
def test_no_template_has_inline_script_or_style(template):
    text = template.read_text()

    assert [word for word in ("style=", "onclick=", "onload=", "<style", "javascript:") if word in text] == []


def test_no_test_has_a_name_that_changes_with_the_clock(request):
    now = time.time()
    seconds = re.compile(r"(?<!\d)\d{10}(?!\d)")
    moments = {item.nodeid: [int(found) for found in seconds.findall(item.nodeid)] for item in request.session.items}

    assert [name for name, found in moments.items() if any(abs(at - now) < 2 * 86_400 for at in found)] == []
