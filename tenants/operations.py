"""The one style of ops commands: what they report, how they change things, and what their exit code means.

A command that looks inherits `LookingCommand`, one whose name is a verb of change `ChangingCommand`. Bad usage is a
`UsageError`; what may not be done is Django's CommandError, whose exit code is 1.
"""

import json
import re
import traceback
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import IntEnum, StrEnum
from functools import partial
from itertools import zip_longest
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, handle_default_options
from django.db import DatabaseError, InterfaceError, OperationalError, connection, connections, transaction
from psycopg.errors import DiskFull

from tenants import endings, scope
from tenants.endings import TimeLimit, time_limit
from tenants.postgresql import faults
from tenants.postgresql.base import PrivilegedLogin
from tenants.redaction import redact

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")  # a name from the database must not command a terminal


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

    def add(self, other: "Report") -> None:
        self.findings += other.findings
        self.data |= other.data

    @property
    def exit(self) -> Exit:
        """A problem that was found counts more than something that could not be asked."""
        states = {finding.state for finding in self.findings}
        return Exit.PROBLEM if State.PROBLEM in states else Exit.UNKNOWN if State.UNKNOWN in states else Exit.OK

    @property
    def verdict(self) -> Finding | None:
        """The whole in one line; None when there is no more than a line, or nothing was judged."""
        if len(self.findings) < 2 or all(finding.state is State.NOTE for finding in self.findings):
            return None
        wrong, untold = self._subjects(State.PROBLEM), self._subjects(State.UNKNOWN)
        if wrong:
            return Finding(f"{len(wrong)} problem{'' if len(wrong) == 1 else 's'}", State.PROBLEM, ", ".join(wrong))
        if untold:
            return Finding("cannot tell", State.UNKNOWN, ", ".join(untold))
        return Finding("all well", State.OK, f"{len(self._subjects(State.OK))} subjects looked at")

    def _subjects(self, state: State) -> list[str]:
        return list(dict.fromkeys(finding.subject for finding in self.findings if finding.state is state))


class UsageError(CommandError):
    """The command was given wrongly; one line says what was expected."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments, returncode=Exit.USAGE)


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


def clean(value: Any, hide: Callable[[str], str] = redact) -> Any:
    """The value without secrets, whatever it consists of. Texts one by one: in JSON as a whole, a key would look
    like the name of a secret."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        return {name: clean(inner, hide) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [clean(inner, hide) for inner in value]
    return value


class OperationsCommand(BaseCommand):
    """What looking and changing commands share: --json, --timeout, and how they end."""

    requires_system_checks = []
    default_timeout = 30.0
    is_whole_process = False
    handed_out = ""  # the one secret that the command exists to tell, if any

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

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> Any:
        # A shortened --apply is too easily meant as something else.
        return super().create_parser(prog_name, subcommand, allow_abbrev=False, **options)

    def run_from_argv(self, argv: list[str]) -> None:
        """A whole process. As Django does it; and whatever goes wrong ends in one line with its exit code."""
        as_json = "--json" in argv
        try:
            with endings.cleanly():
                self._run(argv, as_json)
        finally:
            connections.close_all()

    def _run(self, argv: list[str], as_json: bool) -> None:
        try:
            self.is_whole_process = True
            self.execute(**self._parsed(argv))
        except CommandError as refusal:
            self._refuse(str(refusal), refusal.returncode, as_json)
            raise SystemExit(int(refusal.returncode)) from None
        except Exception as fault:
            # Neither good nor bad: the command itself is at fault.
            endings.write(self.stderr.write, redact("".join(traceback.format_exception(fault))))
            self._refuse(f"the command failed: {type(fault).__name__}", Exit.UNKNOWN, as_json)
            raise SystemExit(int(Exit.UNKNOWN)) from None

    def _parsed(self, argv: list[str]) -> dict[str, Any]:
        _require_text(argv)
        try:
            options = self.create_parser(argv[0], argv[1]).parse_args(argv[2:])
        except CommandError as misuse:
            raise UsageError(f"{str(misuse).removeprefix('Error: ')} (manage.py {argv[1]} --help)") from None
        handle_default_options(options)
        return vars(options)

    def _refuse(self, words: str, code: int, as_json: bool) -> None:
        if as_json:
            self.say_json({"error": words, "exit": int(code)})
        else:
            endings.write(self.stderr.write, redact(words))

    def bounded(self, ask: Callable[[], Report], timeout: float, as_json: bool, report: Report | None = None) -> Report:
        """As the function below; a process of its own ends even when a wait takes no notice of signals."""
        if not self.is_whole_process:
            return bounded(ask, timeout, report)
        late = f"no answer within {timeout:g} seconds"
        last_words = partial(self._refuse, late, Exit.UNKNOWN, as_json)
        with endings.at_the_latest(timeout + endings.GRACE, last_words, Exit.UNKNOWN):
            return bounded(ask, timeout, report)

    def say(self, line: str) -> None:
        """One line for people; never a secret."""
        endings.write(self.stdout.write, self._hide(CONTROL.sub(" ", line)))

    def say_json(self, answer: dict[str, Any]) -> None:
        told = json.dumps(clean(answer, self._hide), indent=2, default=lambda value: redact(str(value)))
        endings.write(self.stdout.write, told)

    def _hide(self, text: str) -> str:
        """Without secrets, but for what is handed out on purpose."""
        pieces = text.split(self.handed_out) if self.handed_out else [text]
        return self.handed_out.join(map(redact, pieces))

    def tell(self, report: Report, as_json: bool, code: Exit | None = None) -> None:
        if as_json:
            told = [asdict(finding) for finding in report.findings]
            self.say_json({**report.data, "findings": told, "exit": int(report.exit if code is None else code)})
            return
        findings = ([report.verdict] if report.verdict else []) + report.findings
        for finding, following in zip_longest(findings, findings[1:]):
            self.say(f"{_SIGNS[finding.state]}  {finding.subject}: {finding.says}")
            if finding.advice and (following is None or following.advice != finding.advice):
                self.say(f"      -> {finding.advice}")


def _require_text(argv: list[str]) -> None:
    """UsageError for bytes that are no UTF-8, which Python hands over as halves of characters that nothing can keep."""
    for given in argv:
        try:
            given.encode()
        except UnicodeEncodeError:
            raise UsageError(f"{given!r} is not text in UTF-8.") from None


def bounded(ask: Callable[[], Report], timeout: float, report: Report | None = None) -> Report:
    """What `ask` reports, or what kept it from an answer, below the findings that `report` holds by then."""
    report = Report() if report is None else report
    try:
        with time_limit(timeout):
            return ask()
    except TimeLimit:
        report.unknown("time", f"no answer within {timeout:g} seconds", "Try a longer --timeout, or `doctor`.")
    except PrivilegedLogin as fault:
        report.problem("database login", str(fault), "`check_tenancy` says more.")
    except (OperationalError, InterfaceError) as fault:
        tell = report.problem if isinstance(fault.__cause__, DiskFull) else report.unknown
        tell("database", faults.describe(fault), "`doctor` says more.")
    except DatabaseError as fault:
        report.problem("database", faults.describe(fault), "`check_schema` and `doctor` say more.")
    return report


def end(code: Exit) -> None:
    if code is not Exit.OK:
        raise SystemExit(int(code))


class LookingCommand(OperationsCommand):
    """Read-only. Subclasses say `arguments` and `look`; exit codes 0 ok, 1 problem, 2 usage, 3 cannot tell.

    What `look` puts into `self.report` is told even when its time is over before it returns.
    """

    def look(self, *args: Any, **options: Any) -> Report:
        """Get the command's own options, and `timeout` in seconds."""
        raise NotImplementedError("A command says what it looks at.")

    def handle(self, *args: Any, **options: Any) -> None:
        as_json, timeout = options.pop("as_json"), options["timeout"]
        self.report = Report()
        report = self.bounded(lambda: self.look(**options), timeout, as_json, self.report)
        self.tell(report, as_json)
        end(report.exit)


class ChangingCommand(OperationsCommand):
    """Changes in one transaction, and only with --apply; without, says what would change (exit code 4).

    Subclasses say `arguments` and `change`, which returns one line for each change; those call audited actions.
    What else there is to say `change` puts into `self.report`, which is told below the changes.
    """

    needs_reason = True

    def change(self, *args: Any, **options: Any) -> list[str]:
        """Get `by`, `reason`, the command's own options, and `timeout` in seconds."""
        raise NotImplementedError("A command says what it changes.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--apply", action="store_true", help="make the changes; without, only say what they are")
        parser.add_argument("--actor", default="", help="your address, kept in the audit")
        parser.add_argument("--reason", default="", help="why, kept in the audit")

    def handle(self, *args: Any, **options: Any) -> None:
        apply, as_json = options.pop("apply"), options.pop("as_json")
        if apply and self.needs_reason and not (options["reason"].strip() and options["actor"].strip()):
            raise UsageError("Give --actor and --reason with --apply: the audit keeps them.")
        changes: list[str] = []
        self._is_leaving, self.is_applied, self.report = False, apply, Report()
        attempt = partial(self._attempt, apply, changes, **options)
        failure = self.bounded(attempt, options["timeout"], as_json)
        if failure.exit is Exit.UNKNOWN and apply and self._is_leaving:
            failure.unknown(
                "changes", "it is not known whether they were made", "Without --apply it says what is left."
            )
        self._tell_outcome(failure, changes, apply, as_json)
        end(failure.exit or self.report.exit or _code(apply, changes))

    def _attempt(self, apply: bool, changes: list[str], *, actor: str, reason: str, **options: Any) -> Report:
        with scope.platform(), transaction.atomic():
            changes += self.change(by=operator(actor), reason=reason, **options)
            # Keys that are checked at the end of the transaction, a dry run's too.
            connection.check_constraints()
            if not apply:
                transaction.set_rollback(True)
            self._is_leaving = True
        return Report()

    def _tell_outcome(self, failure: Report, changes: list[str], apply: bool, as_json: bool) -> None:
        if failure.findings:
            self.tell(failure, as_json)
        elif as_json:
            self.report.data |= {"applied": apply, "changes": changes}
            self.tell(self.report, as_json, self.report.exit or _code(apply, changes))
        else:
            self._tell_changes(changes, apply)
            self.tell(self.report, as_json)

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
