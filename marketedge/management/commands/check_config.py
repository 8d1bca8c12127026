"""Do the settings fit together, and does the database allow what they ask for?"""

from argparse import ArgumentParser
from typing import Any

from marketedge import capacity, configuration
from marketedge.settings import env
from tenants.operations import LookingCommand, Report


class Command(LookingCommand):
    help = (
        "Say of every setting whether it is set, never its value, and what does not fit together. The database alone is"
        " asked, for the connections that it allows. Exit code 0: fit, 1: not so, 3: the database could not be asked."
    )
    default_timeout = 10.0

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--offline", action="store_true", help="do not ask the database")

    def look(self, *, offline: bool, timeout: float, **options: Any) -> Report:
        self.report.add(configuration.examine(env))
        if not offline:
            self.report.add(capacity.examine(env, within=timeout / 2))
        return self.report
