"""The registry: filled by code alone, refusing what does not fit."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from modules import registry
from tests.environment import ROOT, SETTINGS

SPEC = registry.ModuleSpec(key="one", name="One", description="", application="market_edge", version="1", urls="")


@pytest.fixture(autouse=True)
def empty_registry(monkeypatch):
    monkeypatch.setattr(registry, "_specs", {})


def test_two_modules_cannot_share_a_key():
    registry.register(SPEC)

    with pytest.raises(ImproperlyConfigured, match="Two analytics modules are called one"):
        registry.register(SPEC)


def test_a_missing_dependency_stops_the_start():
    registry.register(replace(SPEC, dependencies=("missing",)))

    with pytest.raises(ImproperlyConfigured, match="one depends on missing, which is not installed"):
        registry.require_complete()


def test_a_circle_of_dependencies_stops_the_start():
    registry.register(replace(SPEC, dependencies=("two",)))
    registry.register(replace(SPEC, key="two", dependencies=("one",)))

    with pytest.raises(ImproperlyConfigured, match="one depends on itself"):
        registry.require_complete()


THROWAWAY = {
    "throwaway/__init__.py": "",
    "throwaway/apps.py": """
from django.apps import AppConfig
from modules import registry

class ThrowawayConfig(AppConfig):
    name = "throwaway"

    def ready(self):
        registry.register(registry.ModuleSpec(
            key="throwaway", name="Throwaway", description="", application="value_edge", version="1",
            urls="throwaway.urls"))
""",
    "throwaway/urls.py": """
from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("", lambda request: HttpResponse("in"), name="home")]
""",
    "one_more.py": """
from marketedge.settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "throwaway.apps.ThrowawayConfig"]
""",
    "ask.py": """
import django
django.setup()
from django.urls import resolve, reverse
from modules import registry
from modules.middleware import module_of
from types import SimpleNamespace
address = reverse("throwaway:home", args=["lumen"])
print(address, registry.get("throwaway").name, module_of(SimpleNamespace(resolver_match=resolve(address))))
""",
}


def test_a_new_module_is_its_folder_and_one_line_of_settings(tmp_path: Path):
    for name, text in THROWAWAY.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "PYTHONPATH": f"{tmp_path}:{ROOT}",
        "DJANGO_SETTINGS_MODULE": "one_more",
        **SETTINGS,
    }

    told = subprocess.run(
        [sys.executable, tmp_path / "ask.py"], env=environment, capture_output=True, text=True, check=True
    )

    assert told.stdout.split() == ["/o/lumen/throwaway/", "Throwaway", "throwaway"]
