"""How is this host: its disk, what is deployed on it, and the web process that may run here?"""

import json
import os
import shutil
import tempfile
from typing import Any

from django.conf import settings

from accounts.fetching import Unreachable, fetch
from marketedge import configuration
from marketedge.environment import parse_list
from marketedge.settings import env
from tenants.operations import Report, State

ROOM = 200 * 1024 * 1024  # bytes: uploads and the like are written there
WEB = "web process"


def ask_disk(within: float) -> Report:
    report, folder = Report(), tempfile.gettempdir()
    disk = shutil.disk_usage(folder)
    free = f"{disk.free // 1024**2:,} MB free in {folder}"
    if disk.free < ROOM:
        report.problem("disk", f"only {free}", "Make room: uploads and temporary files are written there.")
    elif not os.access(folder, os.W_OK):
        report.problem("disk", f"{folder} cannot be written", "Give the process a temporary folder (TMPDIR).")
    else:
        report.ok("disk", free)
    return report


def ask_release(within: float) -> Report:
    report = Report(data={"version": settings.RELEASE_VERSION, "commit": settings.RELEASE_COMMIT})
    report.note("release", f"version {settings.RELEASE_VERSION}, commit {settings.RELEASE_COMMIT}")
    return report


def ask_settings(within: float) -> Report:
    """Only what is wrong with them; `check_config` tells all."""
    report = Report()
    found = configuration.examine(env)
    report.findings = [finding for finding in found.findings if finding.state is State.PROBLEM]
    if not report.findings:
        report.ok("settings", "fit together")
    return report


def ask_web_process(within: float) -> Report:
    """What the web process on this host says of itself, if one runs here."""
    report, address = Report(), _address()
    if address.startswith(("unix:", "fd:")):
        report.note(WEB, f"listens at {address}, where it cannot be asked")
        return report
    try:
        startup = _told(f"http://{address}/healthz/startup", within / 2)
        summary = _told(f"http://{address}/health", within / 2)
    except Unreachable as fault:
        if "nothing listens" in str(fault):
            report.note(WEB, f"none listens at {address}")
        else:
            report.problem(WEB, f"at {address}: {fault}", "It hangs, or its threads are all taken: see its log.")
        return report
    except (ValueError, RecursionError):
        report.note(WEB, f"what listens at {address} is not MarketEdge")
        return report
    _examine_web_process(report, address, startup, summary)
    return report


def _address() -> str:
    """Where gunicorn listens; every address of this host is reached by loopback too."""
    bound = parse_list(env.variables.get("BIND", "")) or [f"127.0.0.1:{env.variables.get('PORT', '').strip() or 8000}"]
    first = bound[0].removeprefix("tcp://")
    if first.startswith(":"):
        return f"127.0.0.1{first}"
    return first.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")  # noqa: S104 - what is bound is only read


def _told(url: str, within: float) -> dict[str, Any]:
    told = json.loads(fetch(url, within=within).body)
    if not isinstance(told, dict) or "status" not in told or not isinstance(told.get("problems", {}), dict):
        raise ValueError("not ours")
    return told


def _examine_web_process(report: Report, address: str, startup: dict[str, Any], summary: dict[str, Any]) -> None:
    for what, says in startup.get("problems", {}).items():
        report.problem(WEB, f"at {address} is starting; {what}: {says}")
    if startup.get("missing") and not startup.get("problems"):
        report.problem(WEB, f"at {address} is starting: {', '.join(startup['missing'])} is still to come")
    if summary.get("database_error"):
        report.problem(WEB, f"at {address} says {summary['database_error']}")
    commit = summary.get("commit")
    if commit != settings.RELEASE_COMMIT and "unknown" not in {commit, settings.RELEASE_COMMIT}:
        says = f"at {address} runs commit {commit}, this is {settings.RELEASE_COMMIT}"
        report.problem(WEB, says, "It was not restarted after the release.")
    if not report.findings:
        report.ok(WEB, f"at {address} is {summary['status']}")
