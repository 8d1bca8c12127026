"""What was counted of flags is written in hourly rows: never twice, never on anybody's time, and not for ever."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, IntegrityError, OperationalError, ProgrammingError, connection, transaction

from modules.flags.exposure import counting, flushing, writing
from modules.flags.exposure.flushing import Flusher
from modules.flags.exposure.reading import last_evaluated
from modules.flags.exposure.writing import Batch, Outcome
from modules.flags.models import FlagExposure
from tenants import scope
from tests.accounts.operating import APPLY, run
from tests.environment import ROOT
from tests.factories import make_flag
from tests.modules.flags.uses import make_use, note

FLOORS = ("marketedge", "modules", "accounts", "tenants")
LUMEN = "6f9619ff-8b86-4d01-b42d-00cf4fc964f1"
HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def flusher(monkeypatch) -> Flusher:
    return Flusher()


def count(key: str, times: int = 1, organisation: str = LUMEN, rung: int = 11) -> None:
    for _ in range(times):
        note(key, organisation, rung)


def rows() -> list[tuple]:
    with scope.login():
        found = FlagExposure.objects.order_by("flag_key", "organisation_public_id", "variant")
        return [(row.flag_key, str(row.organisation_public_id), row.variant, row.rung, row.count) for row in found]


@pytest.mark.django_db
def test_a_flush_adds_to_the_row_of_the_hour(flusher):
    count("wanted", 2)
    first = flusher.flush()
    count("wanted", 3)
    count("wanted", organisation="")
    second = flusher.flush()

    assert (first, second) == (True, True)
    assert rows() == [("wanted", LUMEN, "on", 11, 5), ("wanted", "None", "on", 11, 1)]
    assert FlagExposure.objects.get(organisation_public_id=None).hour in (HOUR, HOUR + timedelta(hours=1))


@pytest.mark.django_db
def test_a_flush_is_one_statement_however_much_there_is(flusher, django_assert_num_queries):
    for number in range(50):
        count(f"flag{number}")

    # The transaction's number, the rows, and the savepoint around them that a test's own transaction needs.
    with django_assert_num_queries(4):
        flusher.flush()


@pytest.mark.django_db
def test_nothing_counted_asks_the_database_nothing(flusher, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert flusher.flush() is True


@pytest.mark.django_db
def test_what_code_calls_an_organisation_and_is_none_is_not_told_apart(flusher):
    count("wanted", organisation="lumen")
    count("wanted", organisation="harbour")

    flusher.flush()

    assert rows() == [("wanted", counting.NOT_TOLD_APART, "on", 11, 2)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM flags_flagexposure",
        "UPDATE flags_flagexposure SET flag_key = 'other'",
        "TRUNCATE flags_flagexposure",
    ],
)
def test_the_web_may_add_rows_and_count_up_and_nothing_else(flusher, statement):
    count("wanted")
    flusher.flush()

    with scope.nobody(), pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        connection.cursor().execute(statement)

    assert rows() == [("wanted", LUMEN, "on", 11, 1)]


def test_while_the_database_is_waited_for_nobody_adds_up(flusher, monkeypatch):
    monkeypatch.setattr(flushing, "ADDING", 0.01)
    monkeypatch.setattr(flushing, "INTERVAL", 0.1)
    during: list[bool] = []
    flushed = threading.Event()

    def flush() -> None:
        during.append(flusher.begin())
        flushed.set()

    monkeypatch.setattr(flusher, "flush", flush)
    flusher.begin()
    while not flusher.begin():
        time.sleep(0.001)
    assert flushed.wait(5)
    flusher._over.set()
    flusher._thread.join(5)

    assert (during[0], flusher.begin()) == (False, False)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_by_a_fault_leaves_notes_their_bound(flusher, monkeypatch):
    monkeypatch.setattr(flushing, "ADDING", 0.01)
    monkeypatch.setattr(counting.ledger, "at_news", flusher.begin)
    monkeypatch.setattr(flusher, "_add_up", lambda: 1 / 0)
    flusher.begin()
    flusher._thread.join(5)

    count("wanted")

    assert (flusher.begin(), counting.ledger.note) == (False, counting.ledger._note_news)


class Away:
    """A database that fails at its work until it is back."""

    def __init__(self, monkeypatch, fault: Exception) -> None:
        self.fault: Exception | None = fault
        self.outcome = Outcome.ABORTED
        self.written: list[dict] = []
        monkeypatch.setattr(writing, "write", self.write)
        monkeypatch.setattr(writing, "outcome", lambda transaction_id: self.outcome)

    def write(self, batch: Batch) -> None:
        batch.transaction = "7"
        if self.fault:
            raise self.fault
        self.written.append({row.key: times for row, times in batch.items()})


@pytest.fixture
def away(monkeypatch, flusher) -> Away:
    return Away(monkeypatch, OperationalError("gone"))


def test_what_could_not_be_written_is_written_later_with_what_came_meanwhile(flusher, away, caplog):
    count("wanted", 2)
    during = [flusher.flush(), flusher.flush()]
    count("wanted", 3)
    told = flusher.state()

    away.fault = None
    after = flusher.flush()

    assert (during, after, away.written) == ([False, False], True, [{"wanted": 5}])
    assert (told.waiting, bool(told.problem), flusher.state().waiting, flusher.state().problem) == (2, True, 0, "")
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "How flags were used is not written, and kept",
        "How flags were used is written again.",
    ]


def test_what_was_written_after_all_is_not_written_twice(flusher, away):
    count("wanted", 2)
    flusher.flush()
    count("other")

    away.fault, away.outcome = None, Outcome.COMMITTED
    flusher.flush()

    assert away.written == [{"other": 1}]


def test_while_nobody_knows_whether_it_was_written_nothing_is_tried_again(flusher, away):
    count("wanted", 2)
    flusher.flush()
    away.fault, away.outcome = None, Outcome.IN_PROGRESS
    during = flusher.flush()

    away.outcome = Outcome.ABORTED
    flusher.flush()

    assert (during, away.written) == (False, [{"wanted": 2}])


def test_what_the_database_refuses_does_not_keep_the_rest_from_being_written(flusher, away, caplog):
    away.fault = DataError("not a text")
    count("wanted")
    flusher.flush()

    away.fault = None
    count("other")
    flusher.flush()

    assert away.written == [{"other": 1}]
    assert "1 evaluations of flags are not counted: they are refused." in caplog.text


def test_whatever_fails_in_a_flush_nothing_is_raised(flusher, away, caplog):
    away.fault = RuntimeError("a mistake of ours")
    count("wanted")

    assert flusher.flush() is False
    assert (flusher.state().waiting, "a mistake of ours" in caplog.text) == (1, True)


def test_an_outage_of_days_takes_no_more_memory_than_the_limit(flusher, away, monkeypatch, caplog):
    monkeypatch.setattr("modules.flags.exposure.waiting.LIMIT", 10)
    for number in range(30):
        count("wanted", organisation=f"organisation-{number}")
        count(f"flag{number}")
        flusher.flush()

    assert len(flusher._waiting) + len(flusher._batch) <= 2 * 2 * 10
    assert "evaluations of flags are not counted: too many different ones are waiting." in caplog.text


@pytest.mark.django_db(transaction=True)
def test_the_database_tells_how_an_attempt_ended():
    batch = Batch()
    batch.take(HOUR, {("wanted", LUMEN, True, 11): 1})
    writing.write(batch)
    committed = batch.transaction
    with transaction.atomic():
        writing.write(batch)
        transaction.set_rollback(True)
    aborted = batch.transaction

    assert [writing.outcome(str(number)) for number in (committed, aborted, "999999999999")] == [
        Outcome.COMMITTED,
        Outcome.ABORTED,
        Outcome.ABORTED,
    ]


@pytest.mark.django_db(transaction=True)
def test_a_commit_whose_answer_was_lost_is_not_counted_twice(flusher, monkeypatch):
    wrapper: Any = connection
    commit = wrapper._commit

    def commit_and_lose_the_answer() -> None:
        commit()
        raise OperationalError("the connection is gone")

    count("wanted", 2)
    with monkeypatch.context() as patched:
        patched.setattr(connection, "_commit", commit_and_lose_the_answer)
        during = flusher.flush()
    count("wanted", 3)
    after = flusher.flush()

    assert (during, after, rows()) == (False, True, [("wanted", LUMEN, "on", 11, 5)])


@pytest.mark.django_db
def test_last_evaluated_knows_every_flag_in_one_query(flusher, django_assert_num_queries):
    make_flag("wanted")
    make_flag("unused")
    count("wanted")
    count("gone")
    flusher.flush()

    with django_assert_num_queries(1):
        told = last_evaluated()

    assert list(told) == ["wanted"]
    assert told["wanted"] in (HOUR, HOUR + timedelta(hours=1))


@pytest.mark.django_db
def test_clean_up_deletes_hours_that_are_no_longer_kept(settings):
    settings.FLAG_USE_KEPT_DAYS = 30
    make_use("wanted", hour=HOUR - timedelta(days=31), count=1)
    make_use("wanted", hour=HOUR - timedelta(days=29), count=2)

    told, code = run("clean_up", *APPLY)

    assert ("delete 1 hours of the use of flags" in told, code) == (True, 0)
    assert [row[-1] for row in rows()] == [2]


def test_only_the_flusher_writes_the_rows():
    """Those that read them are listed; the statement that writes stands in one file, which one other imports."""
    naming = {"FlagExposure", "flags_flagexposure"}
    files = {path: path.read_text() for floor in FLOORS for path in (ROOT / floor).rglob("*.py")}
    named = {str(path.relative_to(ROOT)) for path, text in files.items() if any(name in text for name in naming)}
    writing = {
        str(path.relative_to(ROOT))
        for path, text in files.items()
        if "exposure import writing" in text or "exposure.writing import" in text
    }

    assert {name for name in named if "/migrations/" not in name} == {
        "modules/flags/admin/due.py",
        "modules/flags/exposure/cleaning.py",
        "modules/flags/exposure/reading.py",
        "modules/flags/exposure/writing.py",
        "modules/flags/models.py",
        "tenants/checks.py",
        "tenants/ownership.py",
    }
    assert writing == {"modules/flags/exposure/flushing.py"}


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"hour": HOUR + timedelta(minutes=1)}, "flag_exposure_is_of_a_whole_hour"),
        ({"count": 0}, "flag_exposure_counts_something"),
        ({"rung": 12}, "flag_exposure_rung_is_of_the_ladder"),
        ({"is_on": False, "variant": "red"}, "flag_exposure_off_has_no_variant"),
        ({}, "flag_exposure_is_one_row"),
    ],
)
@pytest.mark.django_db
def test_the_database_refuses_rows_that_make_no_sense(fields, rule):
    make_use("wanted", hour=HOUR)

    with pytest.raises(IntegrityError, match=rule):
        make_use("wanted", **{"hour": HOUR, **fields})
