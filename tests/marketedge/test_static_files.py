"""Static files that are not collected, not all, or gone are found before a page misses them."""

import json

import pytest
from django.core.management import call_command

from marketedge import static_files


@pytest.fixture
def collected(settings, tmp_path):
    settings.STATIC_HASHED, settings.STATIC_ROOT = True, tmp_path / "collected"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    return settings.STATIC_ROOT


def says() -> list[tuple[str, str]]:
    return [(finding.state, finding.says) for finding in static_files.examine().findings]


def test_what_is_collected_is_complete(collected):
    assert says() == [("ok", "are collected")]


def test_what_is_not_collected_is_said(settings, tmp_path):
    settings.STATIC_HASHED, settings.STATIC_ROOT = True, tmp_path

    assert says() == [("problem", "are not collected")]


def test_a_list_that_is_broken_is_said(settings, tmp_path):
    settings.STATIC_HASHED, settings.STATIC_ROOT = True, tmp_path
    (tmp_path / "staticfiles.json").write_text("{")

    assert says() == [("problem", "have a list that cannot be read")]


def test_a_file_that_came_later_is_said(collected):
    path = collected / "staticfiles.json"
    manifest = json.loads(path.read_text())
    del manifest["paths"]["marketedge/menus.js"]
    path.write_text(json.dumps(manifest))

    assert says() == [("problem", "were collected before marketedge/menus.js was there")]


def test_a_file_that_is_gone_is_said(collected):
    name = json.loads((collected / "staticfiles.json").read_text())["paths"]["marketedge/menus.js"]
    (collected / name).unlink()

    assert says() == [("problem", f"are incomplete: {name} is listed and not there")]


def test_where_files_are_served_from_where_they_lie_nothing_is_collected(settings):
    settings.STATIC_HASHED = False

    assert [state for state, _ in says()] == ["note"]
