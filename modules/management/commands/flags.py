"""Feature flags from the command line: `manage.py flags VERB`, each verb in the style of all commands."""

from argparse import ArgumentParser
from typing import Any

from modules.flag_operations import changing, looking
from tenants.operations import OperationsCommand

VERBS: dict[str, type[OperationsCommand]] = {
    "list": looking.List,
    "show": looking.Show,
    "explain": looking.Explain,
    "set": changing.Set,
    "kill": changing.Kill,
    "restore": changing.Restore,
    "revert": changing.Revert,
    "export": looking.Export,
    "import": changing.Import,
    "check": looking.Check,
}


class Command(OperationsCommand):
    help = "Look at feature flags, explain and change them. What changes does so only with --apply."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        for name, verb in VERBS.items():
            inner = verbs.add_parser(name, help=verb.help, description=verb.help, allow_abbrev=False)
            verb().add_arguments(inner)

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        command = VERBS[verb](stdout=self.stdout, stderr=self.stderr)  # type: ignore[arg-type]
        command.is_whole_process = self.is_whole_process
        command.handle(*args, **options)
