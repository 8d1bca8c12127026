"""Is there a collected file for everything that pages refer to? Without, each page is an error in production."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders

from tenants.operations import Report

SUBJECT = "static files"
COLLECT = "Run `manage.py collectstatic --no-input` in the release step."


def examine() -> Report:
    report = Report()
    if not settings.STATIC_HASHED:
        report.note(SUBJECT, "are served from where they lie (STATIC_HASHED is off)")
        return report
    problem = _problem()
    if problem:
        report.problem(SUBJECT, problem, COLLECT)
    else:
        report.ok(SUBJECT, "are collected")
    return report


def _problem() -> str:
    manifest = Path(settings.STATIC_ROOT or "") / "staticfiles.json"
    try:
        collected: dict[str, Any] = json.loads(manifest.read_text())["paths"]
    except FileNotFoundError:
        return "are not collected"
    except (OSError, ValueError, KeyError):
        return "have a list that cannot be read"
    missing = sorted(_sources() - collected.keys())
    if missing:
        return f"were collected before {missing[0]} was there{f' and {len(missing) - 1} more' if missing[1:] else ''}"
    gone = sorted(name for name in collected.values() if not (settings.STATIC_ROOT / name).is_file())
    return f"are incomplete: {gone[0]} is listed and not there" if gone else ""


def _sources() -> set[str]:
    return {path for finder in finders.get_finders() for path, _ in finder.list([])}
