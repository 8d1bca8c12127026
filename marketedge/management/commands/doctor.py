"""What is wrong? One line for each subject, the verdict first."""

from typing import Any

from accounts import provider_check
from marketedge import static_files
from marketedge.doctor import database, host
from marketedge.doctor.asking import Question, ask_all
from marketedge.phases import seconds_since_start
from tenants.operations import LookingCommand, Report, State

AT_LEAST = 0.5  # seconds for the questions, however long it took to start
SHARE = 0.8  # of the whole time; the rest is for telling and for ending


class Command(LookingCommand):
    help = (
        "Ask settings, database, identity provider, disk, static files and the web process on this host how they are,"
        " all at once. Exit code 0: well, 1: something is wrong."
    )
    default_timeout = 10.0
    questions: dict[str, Question] = {
        "release": host.ask_release,
        "settings": host.ask_settings,
        "database": database.ask,
        "identity provider": lambda within: _in_short(provider_check.examine(within=within)),
        "disk": host.ask_disk,
        "static files": lambda within: static_files.examine(),
        "web process": host.ask_web_process,
    }

    def look(self, *, timeout: float, **options: Any) -> Report:
        # Starting counts too: whoever waits, waits for the whole.
        started = (seconds_since_start() or 0.0) if self.is_whole_process else 0.0
        return ask_all(self.questions, within=max(AT_LEAST, timeout * SHARE - started))


def _in_short(report: Report) -> Report:
    """What is wrong with the provider, or that it answers; `check_idp` tells the rest."""
    first, *others = report.findings
    return Report([first, *(finding for finding in others if finding.state not in {State.OK, State.NOTE})])
