"""An analytics module that is broken, or asks the database while it loads: one clear line, never half a product."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.environment import ROOT
from tests.marketedge.serving import MuteServer, environment

pytestmark = pytest.mark.served
APPS = """
from django.apps import AppConfig

class BrokenConfig(AppConfig):
    name = "broken_module"

    def ready(self):
{ready}
"""
QUERY = "from accounts.models import Session; Session.objects.count()"
READY = {
    "query": QUERY,
    "swallowed query": f"try:\n    {QUERY}\nexcept Exception:\n    pass",
    "ensure_connection": "from django.db import connection; connection.ensure_connection()",
    "raw psycopg": "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL'])",
    "thread": (
        "import threading\ndef ask():\n    " + QUERY + "\n"
        "thread = threading.Thread(target=ask)\nthread.start()\nthread.join()"
    ),
    "background thread": (
        "import threading, time\ndef ask():\n    time.sleep(3)\n    " + QUERY + "\n"
        "threading.Thread(target=ask, daemon=True).start()"
    ),
}


def module_with(folder: Path, ready: str, models: str = "") -> dict[str, str]:
    """An application beside the product, and settings that install it."""
    package = folder / "broken_module"
    package.mkdir()
    (package / "__init__.py").write_text("")
    body = "\n".join(f"        {line}" for line in (ready or "pass").splitlines())
    (package / "apps.py").write_text(APPS.format(ready=body))
    (package / "models.py").write_text(models)
    (folder / "with_broken_module.py").write_text(
        "from marketedge.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, 'broken_module.apps.BrokenConfig']\n"
    )
    return {"PYTHONPATH": f"{folder}:{ROOT}", "DJANGO_SETTINGS_MODULE": "with_broken_module", "BIND": "127.0.0.1:0"}


@pytest.fixture
def mute():
    server = MuteServer()
    yield server
    server.close()


def serve(variables: dict[str, str], mute: MuteServer) -> tuple[int, str, float]:
    """How a server that ends by itself ended, what it said, and after how many seconds."""
    began = time.monotonic()
    told = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "marketedge/gunicorn.conf.py"],
        cwd=ROOT,
        env={**environment(), **mute.environment, "BOOT_LIMIT": "5", **variables, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return told.returncode, told.stderr, time.monotonic() - began


@pytest.mark.parametrize("shape", READY)
def test_a_module_that_asks_the_database_while_it_loads_ends_the_start_with_one_clear_line(tmp_path, mute, shape):
    code, said, seconds = serve(module_with(tmp_path, READY[shape]), mute)

    last = said.strip().splitlines()[-1]
    assert (code, mute.accepted, seconds < 10) == (1, [], True)
    assert last.startswith("MarketEdge cannot start: ")
    assert "while the product was loading" in last
    assert "broken_module" in last or "Thread-" in last


def test_a_module_that_hangs_ends_the_start_with_its_stack_within_the_boot_limit(tmp_path, mute):
    code, said, seconds = serve(module_with(tmp_path, "import time; time.sleep(60)"), mute)

    assert (code, "broken_module/apps.py" in said, 4 < seconds < 15) == (1, True, True)


@pytest.mark.parametrize(
    ("ready", "models", "says"),
    [
        ("", "import nothing_of_this_name", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("raise ValueError('no such price list')", "", "ValueError: no such price list"),
        (
            "from modules import registry; registry.register(registry.get('market_edge_core'))",
            "",
            "ImproperlyConfigured: Two analytics modules are called market_edge_core",
        ),
    ],
    ids=["import", "ready", "registration"],
)
def test_a_module_that_cannot_be_loaded_is_named_in_the_last_line(tmp_path, mute, ready, models, says):
    code, said, _ = serve(module_with(tmp_path, ready, models), mute)

    last = said.strip().splitlines()[-1]
    assert (code, last.startswith("MarketEdge cannot start: broken_module.apps.BrokenConfig failed")) == (1, True)
    assert says in last
    assert "Listening" not in said


def test_commands_say_it_as_well(tmp_path, mute):
    variables = module_with(tmp_path, QUERY)

    told = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**environment(), **mute.environment, **variables, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (told.returncode, mute.accepted) == (2, [])
    assert told.stderr.strip().splitlines()[-1].startswith("MarketEdge cannot start: broken_module")
