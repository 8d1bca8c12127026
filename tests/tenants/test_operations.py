"""The one style of ops commands: what they print, which exit code they end with, and what ends them."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest
from django.core.management.base import CommandError
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from modules.models import ApplicationGrant
from tenants import audit, scope
from tenants.models import AuditEvent, Organisation
from tenants.operations import ChangingCommand, Exit, LookingCommand, Operator, Report, UsageError, bounded, operator
from tenants.postgresql.base import PrivilegedLogin
from tests.environment import ROOT
from tests.factories import make_member, make_organisation, make_user
from tests.faults.proxy import Line
from tests.marketedge.serving import environment


class Looking(LookingCommand):
    """Reports what it is given."""

    def __init__(self, findings) -> None:
        super().__init__(stdout=io.StringIO(), stderr=io.StringIO())
        self.findings = findings

    def arguments(self, parser):
        parser.add_argument("--number", type=int)

    def look(self, **options):
        return self.findings(self)


def answer_of(findings, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a looking command."""
    command = Looking(findings)
    return (*ended(command, *arguments),)


def ended(command, *arguments: str) -> tuple[int, str, str]:
    code = 0
    try:
        command.run_from_argv(["manage.py", "sample", *arguments])
    except SystemExit as end:
        code = int(end.code or 0)
    return code, command.stdout._out.getvalue(), command.stderr._out.getvalue()


def report(*findings: tuple[str, str, str]) -> Report:
    made = Report()
    for state, subject, says in findings:
        getattr(made, state)(subject, says)
    return made


@pytest.fixture(autouse=True)
def keep_connection(monkeypatch):
    """A command ends with its process and its connection; the tests go on."""
    monkeypatch.setattr("tenants.operations.connections.close_all", lambda: None)


def test_arguments_that_are_no_text_are_refused_in_words():
    assert answer_of(lambda command: Report(), "--number", "caf\udce9") == (
        2,
        "",
        "'caf\\udce9' is not text in UTF-8.\n",
    )


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (["ok", "note"], 0),
        (["ok", "problem"], 1),
        (["ok", "unknown"], 3),
        (["unknown", "problem", "ok"], 1),
        (["note"], 0),
    ],
)
def test_the_exit_code_says_what_was_found(states, code):
    found = report(*[(state, "subject", "words") for state in states])

    assert answer_of(lambda _: found)[0] == code


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ([("ok", "a", "x"), ("ok", "b", "x")], "ok    all well: 2 subjects looked at"),
        ([("ok", "a", "x"), ("problem", "b", "x")], "FAIL  1 problem: b"),
        ([("problem", "a", "x"), ("unknown", "c", "x"), ("problem", "b", "x")], "FAIL  2 problems: a, b"),
        ([("ok", "a", "x"), ("unknown", "b", "x")], "??    cannot tell: b"),
        ([("note", "a", "x"), ("note", "b", "x")], "      a: x"),
        ([("ok", "a", "x")], "ok    a: x"),
    ],
)
def test_the_first_line_is_the_verdict(findings, verdict):
    assert answer_of(lambda _: report(*findings))[1].splitlines()[0] == verdict


def test_advice_stands_below_its_finding():
    found = Report()
    found.problem("database", "it is away", "Wake it.")

    assert answer_of(lambda _: found)[1] == "FAIL  database: it is away\n      -> Wake it.\n"


def test_advice_that_many_share_is_said_once():
    found = Report()
    for subject in ("first", "second"):
        found.problem(subject, "is bad", "Mend both.")

    assert answer_of(lambda _: found)[1].count("Mend both.") == 1


def test_json_holds_the_findings_with_their_states_the_data_and_the_exit_code():
    found = Report(data={"version": "1"})
    found.problem("state", "token: wrong", "Look.")

    code, said, _ = answer_of(lambda _: found, "--json")

    assert (code, json.loads(said)) == (
        1,
        {
            "version": "1",
            "findings": [{"subject": "state", "state": "problem", "says": "token: [hidden]", "advice": "Look."}],
            "exit": 1,
        },
    )


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_a_secret_is_never_said(settings, arguments):
    found = Report(data={"where": [("deep", settings.SECRET_KEY)]})
    found.note("key", f"is {settings.SECRET_KEY} and postgres://web:hunter2@db/x")

    said = answer_of(lambda _: found, *arguments)[1]

    assert (settings.SECRET_KEY in said, "hunter2" in said) == (False, False)


def test_a_name_cannot_command_the_terminal_or_make_lines_of_its_own():
    found = report(("note", "name", "\x1b[2Jgone\nok    all well\u2028x"))

    assert answer_of(lambda _: found)[1] == "      name:  [2Jgone ok    all well x\n"


@pytest.mark.parametrize("value", ["nonsense", "0", "-1", "nan", "inf", "4000"])
def test_a_timeout_that_is_none_is_bad_usage(value):
    code, said, complaint = answer_of(lambda _: Report(), "--timeout", value)

    assert (code, said, len(complaint.splitlines())) == (2, "", 1)
    assert f"{value!r} is not a time" in complaint


@pytest.mark.parametrize("arguments", [["--nope"], ["--number", "x"], ["--jso"], ["left-over"]])
def test_bad_usage_is_one_line_and_exit_code_2(arguments):
    code, said, complaint = answer_of(lambda _: Report(), *arguments)

    assert (code, said, len(complaint.splitlines())) == (2, "", 1)


def test_bad_usage_is_json_where_json_was_asked_for():
    code, said, complaint = answer_of(lambda _: Report(), "--json", "--number", "x")

    assert (code, json.loads(said)["exit"], complaint) == (2, 2, "")


def test_a_command_refuses_its_own_bad_usage_alike():
    def look(_):
        raise UsageError("There is no organisation x.")

    assert answer_of(look) == (2, "", "There is no organisation x.\n")


def test_what_may_not_be_done_is_exit_code_1():
    def look(_):
        raise CommandError("not the last one")

    assert answer_of(look, "--json")[:2] == (1, '{\n  "error": "not the last one",\n  "exit": 1\n}\n')


def test_a_fault_of_the_command_itself_is_neither_good_nor_bad(settings):
    def look(_):
        raise ZeroDivisionError(settings.SECRET_KEY)

    code, _, complaint = answer_of(look)

    assert (code, complaint.splitlines()[-1]) == (3, "the command failed: ZeroDivisionError")
    assert settings.SECRET_KEY not in complaint


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        (OperationalError("connection refused"), 3, "the connection is refused: nothing listens there"),
        (InterfaceError("the connection is closed"), 3, "it ended the connection"),
        (DatabaseError("relation x"), 1, "DatabaseError"),
        (PrivilegedLogin("DATABASE_URL names a superuser"), 1, "DATABASE_URL names a superuser"),
    ],
)
def test_a_database_that_does_not_answer_is_told_from_one_that_answers_wrongly(fault, code, words):
    def ask() -> Report:
        raise fault

    found = bounded(ask, 5)

    assert (found.exit, found.findings[0].says) == (code, words)


def test_time_is_over_whatever_is_waited_for_and_what_was_found_is_told():
    def look(command):
        command.report.ok("first", "well")
        time.sleep(5)

    began = time.monotonic()
    code, said, _ = answer_of(look, "--timeout", "0.3")

    assert (code, time.monotonic() - began < 2) == (3, True)
    assert [line.strip() for line in said.splitlines()][:3] == [
        "??    cannot tell: time",
        "ok    first: well",
        "??    time: no answer within 0.3 seconds",
    ]


def test_what_swallows_every_exception_does_not_swallow_the_end():
    def ask() -> Report:
        with suppress(Exception):  # as flags do, which never raise
            time.sleep(3)
        return Report()

    assert bounded(ask, 0.3).exit is Exit.UNKNOWN


def test_a_limit_inside_another_does_not_end_the_outer_one():
    def ask() -> Report:
        bounded(Report, 5)
        time.sleep(5)
        return Report()

    assert bounded(ask, 0.3).exit is Exit.UNKNOWN


def test_outside_the_main_thread_the_database_alone_is_bounded():
    found: list[Report] = []

    thread = threading.Thread(target=lambda: found.append(bounded(Report, 5)))
    thread.start()
    thread.join()

    assert found[0].exit is Exit.OK


class Renaming(ChangingCommand):
    """Renames every organisation; `after` is done last."""

    def __init__(self, after=lambda: None) -> None:
        super().__init__(stdout=io.StringIO(), stderr=io.StringIO())
        self.after = after

    def change(self, *, by, reason, **options):
        changed = Organisation.objects.exclude(name="New")
        lines = [f"rename {organisation}" for organisation in changed]
        if lines:
            with audit.action("organisation.renamed", by=by, reason=reason):
                changed.update(name="New")
        self.after()
        return lines


APPLY = ["--apply", "--actor", "ops@example.com", "--reason", "rebranding"]


@pytest.fixture
def organisation(db):
    return make_organisation("Old")


def name_of(organisation) -> str:
    organisation.refresh_from_db()
    return organisation.name


def test_a_dry_run_says_what_would_change_and_changes_nothing(organisation):
    code, said, _ = ended(Renaming())

    assert (code, said) == (4, "would: rename Old\n1 change pending; --apply makes them.\n")
    assert name_of(organisation) == "Old"


def test_with_apply_the_change_is_made_and_audited(organisation):
    code, said, _ = ended(Renaming(), *APPLY)

    assert (code, said, name_of(organisation)) == (0, "rename Old\n1 change made.\n", "New")
    with scope.login():
        event = AuditEvent.objects.get(kind="event")
    assert (event.actor_email, event.reason) == ("ops@example.com", "rebranding")


def test_a_second_run_has_nothing_left_to_change(organisation):
    ended(Renaming(), *APPLY)

    assert [ended(Renaming()), ended(Renaming(), *APPLY)] == [
        (0, "0 changes pending.\n", ""),
        (0, "0 changes made.\n", ""),
    ]


@pytest.mark.parametrize(("arguments", "applied", "code"), [([], False, 4), (APPLY, True, 0)])
def test_changes_are_told_in_json(organisation, arguments, applied, code):
    ended_with, said, _ = ended(Renaming(), "--json", *arguments)

    assert (ended_with, json.loads(said)) == (
        code,
        {"applied": applied, "changes": ["rename Old"], "findings": [], "exit": code},
    )


@pytest.mark.parametrize("given", [["--actor", "me@example.com"], ["--reason", "x"], ["--actor", " ", "--reason", "x"]])
def test_nothing_is_applied_without_actor_and_reason(organisation, given):
    code, said, complaint = ended(Renaming(), "--apply", *given)

    assert (code, said, complaint) == (2, "", "Give --actor and --reason with --apply: the audit keeps them.\n")
    assert name_of(organisation) == "Old"


def test_a_change_that_is_refused_on_the_way_leaves_nothing(organisation):
    def refuse() -> None:
        raise CommandError("not this one")

    assert ended(Renaming(refuse), *APPLY) == (1, "", "not this one\n")
    assert name_of(organisation) == "Old"


@pytest.mark.parametrize("arguments", [[], APPLY])
def test_a_dry_run_finds_what_the_end_of_the_transaction_would_refuse(organisation, arguments):
    def give_a_seat_elsewhere_an_application() -> None:
        elsewhere = make_organisation()
        make_member(elsewhere, applications=[])
        with scope.login():
            membership = elsewhere.memberships(manager="unscoped").get()
        ApplicationGrant.unscoped.create(organisation=organisation, membership=membership, application="market_edge")

    code, said, _ = ended(Renaming(give_a_seat_elsewhere_an_application), *arguments)

    assert (code, "ForeignKeyViolation" in said) == (1, True)


@pytest.mark.django_db(transaction=True)
def test_a_transaction_whose_end_nobody_confirmed_is_said_to_be_unknown(monkeypatch):
    make_organisation("Old")

    def commit() -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(connection, "commit", commit)
    code, said, _ = ended(Renaming(), *APPLY)

    assert (code, "changes: it is not known whether they were made" in said) == (3, True)


def test_who_has_an_account_is_known_by_it_and_anybody_else_by_address(db):
    person = make_user("ops@example.com")

    assert [operator("OPS@example.com"), operator("other@example.com"), operator(" ")] == [
        person,
        Operator("other@example.com"),
        None,
    ]


SAMPLE = """
import os, sys, time, django
os.environ["DJANGO_SETTINGS_MODULE"] = "marketedge.settings"
django.setup()
from tenants.operations import LookingCommand, Report

class Sample(LookingCommand):
    def look(self, **options):
        {body}
        return self.report

Sample().run_from_argv(["manage.py", "sample", *sys.argv[1:]])
"""
WAITING = "sys.stderr.write('waiting\\n'); sys.stderr.flush(); "


def start(body: str, *arguments: str, stdout=subprocess.PIPE, **changes: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SAMPLE.format(body=body), *arguments],
        cwd=ROOT,
        env=environment(**changes),
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_nobody_reading_is_no_traceback_and_keeps_the_exit_code():
    reading, writing = os.pipe()
    os.close(reading)

    process = start("[self.report.problem(str(n), 'words') for n in range(9000)]", stdout=writing)
    os.close(writing)

    assert (process.communicate(timeout=30)[1], process.returncode) == ("", 1)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_answer_that_cannot_be_written_is_said_and_keeps_the_exit_code(unbuffered):
    with open("/dev/full", "w") as full:
        process = start("self.report.problem('a', 'b')", stdout=full, PYTHONUNBUFFERED=unbuffered)

    said, code = process.communicate(timeout=30)[1], process.returncode
    assert ("could not be written: No space left on device" in said, "Traceback" in said, code) == (True, False, 1)


def test_signs_that_the_terminal_lacks_are_spelled():
    process = start("self.report.ok('name', '\\u2026')", PYTHONIOENCODING="ascii")

    assert (*process.communicate(timeout=30), process.returncode) == ("ok    name: \\u2026\n", "", 0)


@pytest.mark.parametrize("closed", [[1], [0, 1, 2]])
def test_a_caller_may_close_the_standard_streams(closed):
    shell = " ".join(f"{number}>&-" for number in closed)
    line = f'exec "$0" manage.py whois nobody@nowhere.example --timeout x {shell}'

    ended = subprocess.run(
        ["sh", "-c", line, sys.executable], cwd=ROOT, env=environment(), capture_output=True, timeout=30
    )

    assert (ended.returncode, b"Traceback" in ended.stderr) == (2, False)


def test_ctrl_c_ends_in_one_line():
    process = start(WAITING + "time.sleep(20)")
    assert process.stderr
    process.stderr.readline()
    process.send_signal(signal.SIGINT)

    assert (process.communicate(timeout=10), process.returncode) == (("", "Stopped.\n"), 130)


@pytest.mark.django_db
def test_ctrl_c_does_not_wait_for_a_mute_database():
    target = connection.settings_dict
    line = Line(int(target["PORT"]))
    login = os.environ["DATABASE_URL"].partition("@")[0]
    address = f"{login}@127.0.0.1:{line.port}/{target['NAME']}"
    body = (
        f"from django.db import connection; cursor = connection.cursor(); {WAITING}cursor.execute('SELECT pg_sleep(4)')"
    )
    process = start(body, "--timeout", "60", DATABASE_URL=address, DATABASE_OWNER_URL="")
    assert process.stderr
    process.stderr.readline()
    time.sleep(0.3)
    line.mute()
    process.send_signal(signal.SIGINT)

    assert (process.communicate(timeout=3), process.returncode) == (("", "Stopped.\n"), 130)
    line.close()
    wait_until_alone()


def wait_until_alone() -> None:
    """The server notices that its client is gone when the statement is over."""
    with scope.login(), connection.cursor() as cursor:
        for _ in range(80):
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            if cursor.fetchone() == (1,):
                return
            time.sleep(0.1)


def test_a_wait_that_hears_no_signal_ends_all_the_same():
    deaf = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM]); time.sleep(20)"
    process = start(deaf, "--timeout", "0.3", "--json")

    said = process.communicate(timeout=10)[0]

    assert (process.returncode, json.loads(said)) == (3, {"error": "no answer within 0.3 seconds", "exit": 3})
