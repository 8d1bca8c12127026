"""A log line is one line, says which request, organisation, person and release it is about, and holds no secret."""

import io
import logging

import pytest
from django.conf import settings
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject

from marketedge import log_lines, visits
from marketedge.visits import Visit
from tests.factories import make_organisation, make_user
from tests.marketedge.logged import RELEASE, json_log, text_log

logger = logging.getLogger("tests")
SECRET = settings.SECRET_KEY


@pytest.fixture
def visit():
    """A request that is being answered."""
    going_on = Visit(RequestFactory().get("/"))
    token = visits.current.set(going_on)
    yield going_on
    visits.current.reset(token)


def test_a_json_line_has_the_same_first_fields_whatever_happened():
    with json_log() as log:
        logger.warning("It is %s", "late")

    line = log.lines[0]
    assert line.pop("timestamp").endswith("+00:00")
    assert line.pop("process")
    assert line == {
        "level": "warning",
        "logger": "tests",
        "message": "It is late",
        "request_id": None,
        "organisation": None,
        "person": None,
        "release": RELEASE,
    }


def test_a_line_says_which_request_organisation_and_person_it_is_about(db, visit):
    visit.request.organisation, visit.request.user = make_organisation("Lumen"), make_user("ann@lumen.example")

    with json_log() as log:
        logger.info("x")

    line = log.lines[0]
    assert (line["request_id"], line["organisation"]) == (visit.incident, "lumen")
    assert line["person"] == str(visit.request.user.public_id)
    assert "ann@" not in log.text


def test_a_line_does_not_ask_who_it_is(visit):
    def ask() -> None:
        raise AssertionError("the database was asked")

    visit.request.user = SimpleLazyObject(ask)

    with json_log() as log:
        logger.info("x")

    assert log.lines[0]["person"] is None


def test_a_person_is_named_as_soon_as_somebody_has_asked(db, visit):
    person = make_user()
    visit.request.user = SimpleLazyObject(lambda: person)
    assert visit.request.user.pk

    with json_log() as log:
        logger.info("x")

    assert log.lines[0]["person"] == str(person.public_id)


def test_the_callers_id_stands_beside_ours(visit):
    visit.callers_id = "their-own-id"

    with json_log() as log:
        logger.info("x")

    assert (log.lines[0]["request_id"], log.lines[0]["callers_request_id"]) == (visit.incident, "their-own-id")


def test_further_fields_are_kept_without_their_secrets():
    with json_log() as log:
        logger.info("x", extra={"count": 3, "token": "abc", "headers": {"Cookie": "a=b"}, "request": object()})

    line = log.lines[0]
    assert (line["count"], line["token"], line["headers"]) == (3, "[hidden]", {"Cookie": "[hidden]"})
    assert "request" not in line


def fail_to_connect() -> None:
    raise ConnectionError("cannot reach postgres://web:hunter2@db.example/market")


def log_a_failure() -> None:
    try:
        fail_to_connect()
    except ConnectionError:
        logger.exception("Failed with code=abc123 for %s", "ann@lumen.example")


@pytest.mark.parametrize("log_of", [json_log, text_log])
def test_messages_arguments_and_tracebacks_hold_no_secret(log_of):
    with log_of() as log:
        log_a_failure()
        logger.info("Cookie: sessionid=%s", "abcdef")
        logger.info(SECRET)

    assert "fail_to_connect" in log.text
    found = [word for word in ("hunter2", "abc123", "ann@", "abcdef", SECRET) if word in log.text]
    assert found == []


def test_no_handler_gets_to_see_a_secret():
    seen = []

    class Curious(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append((logging.Formatter("%(message)s").format(record), record.msg, record.args, record.exc_info))

    handler = Curious()
    logging.getLogger().addHandler(handler)
    log_a_failure()
    logging.getLogger().removeHandler(handler)

    written, said, values, trace = seen[0]
    assert (said, values, trace) == ("Failed with code=[hidden] for [address]", (), None)
    assert ("fail_to_connect" in written, "hunter2" in written) == (True, False)


def test_words_that_do_not_fit_their_values_are_written_without_secrets(capsys):
    with json_log() as log:
        logger.info("%d people, password=%s", "hunter2")

    assert log.lines[0]["message"] == "%d people, password=[hidden] ('hunter2',)"
    assert "Logging error" not in capsys.readouterr().err


@pytest.mark.parametrize("log_of", [json_log, text_log])
@pytest.mark.parametrize("newline", ["\n", "\r", "\x0b", "\x85", "\u2028", "\x1b[2J\n"])
def test_a_newline_cannot_make_a_second_line(log_of, newline):
    with log_of() as log:
        logger.info("Invalid host: %s", f"x{newline}12:00:00 ERROR forged: all is lost")

    assert len(log.text.splitlines()) == 1
    assert "\x1b" not in log.text


def test_nothing_in_a_traceback_can_pose_as_a_line():
    with text_log() as log:
        try:
            raise ValueError("x\n12:00:00 ERROR forged: all is lost\r\x1b[2J")
        except ValueError:
            logger.exception("Failed")

    others = log.text.splitlines()[1:]
    assert [line for line in others if not line.startswith("    ")] == []
    assert "\x1b" not in log.text


def test_a_json_line_keeps_its_traceback_on_the_line():
    with json_log() as log:
        log_a_failure()

    assert log.lines[0]["exception"].splitlines()[0] == "Traceback (most recent call last):"


def test_what_is_very_long_loses_its_middle():
    with json_log() as log:
        logger.info("a" * 50_000 + "end")

    message = log.lines[0]["message"]
    assert (len(message) < 17_000, message.endswith("end"), "characters left out" in message) == (True, True, True)


def test_a_line_for_people_reads_from_left_to_right(visit):
    with text_log() as log:
        logger.warning("It is late")

    at, *rest = log.text.rstrip("\n").split(" ", 1)
    assert at.count(":") == 2
    assert rest == [f"WARNING tests: It is late  [request_id={visit.incident} release={RELEASE}]"]


def test_colours_are_for_terminals_alone(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert log_lines.TextLines(RELEASE).colours is False

    with text_log(colours=True) as log:
        logger.error("Red")

    assert log.text.startswith("\x1b[31m")


def test_the_product_writes_lines_of_the_format_that_is_set():
    formatters = [type(handler.formatter) for handler in logging.getLogger().handlers]

    assert log_lines.JsonLines in formatters


def test_what_cannot_be_put_into_json_is_written_in_words():
    with json_log() as log:
        logger.info("x", stack_info=True, extra={"odd": object})

    assert "test_what_cannot_be_put" in log.lines[0]["stack"]
    assert log.lines[0]["odd"] == "<class 'object'>"
