"""The one style of ops commands: what they report, how they change things, and what their exit code means.

A command that looks inherits `LookingCommand`, one whose name is a verb of change `ChangingCommand`.
"""

import json
import signal
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from tenants import scope
from tenants.postgresql import deadline, faults
from tenants.redaction import redact


class Exit(IntEnum):
    OK = 0
    PROBLEM = 1
    USAGE = 2
    UNKNOWN = 3  # what was asked about could not be reached
    PENDING = 4  # a dry run that would change something


class State(StrEnum):
    OK = "ok"
    PROBLEM = "problem"
    UNKNOWN = "unknown"
    NOTE = "note"  # worth knowing, neither good nor bad


_SIGNS = {State.OK: "ok  ", State.PROBLEM: "FAIL", State.UNKNOWN: "??  ", State.NOTE: "    "}


@dataclass(frozen=True)
class Finding:
    """One line of a report: what was looked at, how it is, and what to do about it."""

    subject: str
    state: State
    says: str
    advice: str = ""


@dataclass
class Report:
    """What a command found. `data` is for --json alone; its keys stand beside `findings`."""

    findings: list[Finding] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    def ok(self, subject: str, says: str) -> None:
        self.findings.append(Finding(subject, State.OK, says))

    def problem(self, subject: str, says: str, advice: str = "") -> None:
        self.findings.append(Finding(subject, State.PROBLEM, says, advice))

    def unknown(self, subject: str, says: str, advice: str = "") -> None:
        self.findings.append(Finding(subject, State.UNKNOWN, says, advice))

    def note(self, subject: str, says: str) -> None:
        self.findings.append(Finding(subject, State.NOTE, says))

    @property
    def exit(self) -> Exit:
        """A problem that was found counts more than something that could not be asked."""
        states = {finding.state for finding in self.findings}
        return Exit.PROBLEM if State.PROBLEM in states else Exit.UNKNOWN if State.UNKNOWN in states else Exit.OK


class TimeLimit(Exception):
    """The command ran longer than its --timeout."""


@dataclass(frozen=True)
class Operator:
    """Who gave a command, by address: somebody without an account here. Audit events keep the address."""

    email: str
    pk: None = None


def seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 3600:
        raise ArgumentTypeError(f"{text!r} is not a time: expected seconds, up to 3600.")
    return number


@contextmanager
def time_limit(limit: float) -> Iterator[None]:
    """Raise TimeLimit after so many seconds, whatever is waited for; waits for the database end a little earlier."""

    def ring(*_: Any) -> None:
        raise TimeLimit

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        with deadline.within(limit * 0.9):
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class OperationsCommand(BaseCommand):
    """What looking and changing commands share: --json, --timeout, and the words for a database that is away."""

    requires_system_checks = []
    default_timeout = 30.0

    def arguments(self, parser: ArgumentParser) -> None:
        """The command's own arguments."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.arguments(parser)
        parser.add_argument("--json", action="store_true", dest="as_json", help="answer in JSON")
        parser.add_argument(
            "--timeout",
            type=seconds,
            default=self.default_timeout,
            help=f"seconds until it gives up with exit code 3 ({self.default_timeout:g})",
        )

    def say(self, line: str) -> None:
        """One line for people; never a secret."""
        self.stdout.write(redact(line))

    def say_json(self, answer: dict[str, Any]) -> None:
        self.stdout.write(redact(json.dumps(answer, indent=2, default=str)))

    def tell(self, report: Report, as_json: bool) -> None:
        if as_json:
            findings = [asdict(finding) for finding in report.findings]
            self.say_json({**report.data, "findings": findings, "exit": int(report.exit)})
            return
        for finding in report.findings:
            self.say(f"{_SIGNS[finding.state]}  {finding.subject}: {finding.says}")
            if finding.advice:
                self.say(f"      -> {finding.advice}")


def bounded(ask: Callable[[], Report], timeout: float) -> Report:
    """What `ask` reports, or what kept it from an answer."""
    report = Report()
    try:
        with time_limit(timeout):
            return ask()
    except TimeLimit:
        report.unknown("time", f"no answer within {timeout:g} seconds", "Try a longer --timeout, or `doctor`.")
    except (OperationalError, InterfaceError) as fault:
        report.unknown("database", faults.describe(fault), "`doctor` says more.")
    except DatabaseError as fault:
        report.problem("database", faults.describe(fault), "`check_schema` and `doctor` say more.")
    return report


def end(code: Exit) -> None:
    if code is not Exit.OK:
        raise SystemExit(int(code))


class LookingCommand(OperationsCommand):
    """Read-only. Subclasses say `arguments` and `look`; exit codes 0 ok, 1 problem, 2 usage, 3 cannot tell."""

    def look(self, **options: Any) -> Report:
        """Get the command's own options, and `timeout` in seconds."""
        raise NotImplementedError("A command says what it looks at.")

    def handle(self, *args: Any, **options: Any) -> None:
        as_json, timeout = options.pop("as_json"), options["timeout"]
        report = bounded(lambda: self.look(**options), timeout)
        self.tell(report, as_json)
        end(report.exit)


class ChangingCommand(OperationsCommand):
    """Changes in one transaction, and only with --apply; without, says what would change (exit code 4).

    Subclasses say `arguments` and `change`, which returns one line for each change; those call audited actions.
    """

    needs_reason = True

    def change(self, *, by: Any, reason: str, **options: Any) -> list[str]:
        raise NotImplementedError("A command says what it changes.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--apply", action="store_true", help="make the changes; without, only say what they are")
        parser.add_argument("--actor", default="", help="your address, kept in the audit")
        parser.add_argument("--reason", default="", help="why, kept in the audit")

    def handle(self, *args: Any, **options: Any) -> None:
        apply, as_json = options.pop("apply"), options.pop("as_json")
        if apply and self.needs_reason and not (options["reason"].strip() and options["actor"].strip()):
            raise CommandError("Give --actor and --reason with --apply: the audit keeps them.", returncode=Exit.USAGE)
        changes: list[str] = []
        failure = bounded(lambda: self._attempt(apply, changes, **options), options["timeout"])
        if failure.findings:
            self.tell(failure, as_json)
        elif as_json:
            self.say_json({"applied": apply, "changes": changes, "exit": int(_code(apply, changes))})
        else:
            self._tell_changes(changes, apply)
        end(failure.exit or _code(apply, changes))

    def _attempt(self, apply: bool, changes: list[str], *, actor: str, reason: str, **options: Any) -> Report:
        with scope.platform(), transaction.atomic():
            changes += self.change(by=operator(actor), reason=reason, **options)
            if not apply:
                transaction.set_rollback(True)
        return Report()

    def _tell_changes(self, changes: list[str], apply: bool) -> None:
        for line in changes:
            self.say(line if apply else f"would: {line}")
        counted = f"{len(changes)} change{'' if len(changes) == 1 else 's'}"
        self.say(f"{counted} made." if apply else f"{counted} pending{'; --apply makes them' if changes else ''}.")


def _code(apply: bool, changes: list[str]) -> Exit:
    return Exit.OK if apply or not changes else Exit.PENDING


def operator(address: str) -> Any:
    """The person with the address, or an operator without an account; None for no address."""
    if not address.strip():
        return None
    people = get_user_model()._default_manager
    return people.filter(email__iexact=address.strip()).first() or Operator(address.strip()[:254])
