"""The release step in one command: migrations, then reference data. What fails ends it before the release serves."""

import io
from dataclasses import asdict, dataclass
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError

from tenants.operations import ChangingCommand, Exit, end

LATER = "What reference data is missing can be told when the migrations are applied."


@dataclass(frozen=True)
class Step:
    """One command of the release: how it ended, and its lines."""

    command: str
    exit: int
    said: list[str]


class Command(ChangingCommand):
    help = (
        "Make the database ready for this release: `migrate_safely`, then `bootstrap`. Run it once before the new "
        "release serves; the release before goes on meanwhile. Needs the roles, which `database_roles` makes once."
    )
    default_timeout = 300.0

    def handle(self, *args: Any, as_json: bool, **options: Any) -> None:
        steps = [self._step("migrate_safely", **_only(options, "apply", "actor", "reason", "timeout"))]
        if steps[0].exit == Exit.OK:
            steps.append(self._step("bootstrap", **_only(options, "apply", "actor", "reason")))
        elif steps[0].exit == Exit.PENDING:
            steps.append(Step("bootstrap", Exit.PENDING, [LATER]))
        code = max(Exit(step.exit) for step in steps)
        if as_json:
            self.say_json({"applied": options["apply"], "steps": [asdict(step) for step in steps], "exit": int(code)})
        else:
            self._tell_steps(steps)
        end(code)

    def _step(self, command: str, **options: Any) -> Step:
        output, code = io.StringIO(), 0
        try:
            call_command(command, stdout=output, stderr=self.stderr, **options)
        except SystemExit as ended:
            code = int(ended.code or 0)
        except CommandError as refusal:
            output.write(str(refusal))
            code = refusal.returncode
        return Step(command, code, output.getvalue().splitlines())

    def _tell_steps(self, steps: list[Step]) -> None:
        for step in steps:
            self.say(step.command)
            for line in step.said:
                self.say(f"  {line}")


def _only(options: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: options[name] for name in names}
