"""What a log line looks like: JSON for machines, one line for people; no secret and no address in either.

Redaction happens where a record is made, so that no handler, ours or a library's, ever holds what it must not write.
"""

import logging
import logging.config
import os
import sys
import time
import traceback
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from marketedge import visits
from tenants.redaction import anonymise, anonymise_value

LONGEST = 16_000  # characters of a message or a traceback; what is longer loses its middle
# `request` is Django's, and an object; the others are ours or say again what the line says anyway.
NOT_FIELDS = {*RESERVED_ATTRS, "request", "status_code", "message", "fault"}
COLOURS = {"WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[31;1m"}
DIM, PLAIN = "\x1b[2m", "\x1b[0m"
_VISIBLE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}
_VISIBLE |= {9: " ", 10: "\\n", 13: "\\r"}


class SafeRecord(logging.LogRecord):
    """A record whose message and traceback are redacted from the beginning. `fault` is the exception itself."""

    fault: BaseException | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.msg, self.args = shortened(anonymise(_said(self))), ()
        if self.exc_info:
            self.fault = self.exc_info[1]
            self.exc_text = shortened(anonymise("".join(traceback.format_exception(*self.exc_info)).rstrip()))
            self.exc_info = None


def _said(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:
        # Words and values do not fit together; the handler would print both, as they are.
        return f"{record.msg} {record.args!r}"


def shortened(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return f"{text[:half]}\n[... {len(text) - LONGEST} characters left out ...]\n{text[-half:]}"


def configure(logging_settings: dict[str, Any]) -> None:
    """Used as LOGGING_CONFIG, and by the server before there is a product."""
    logging.setLogRecordFactory(SafeRecord)
    logging.config.dictConfig(logging_settings)


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What the caller gave as `extra`, without what must not be written."""
    given = ((name, value) for name, value in record.__dict__.items() if name not in NOT_FIELDS)
    return {name: anonymise_value(name, value) for name, value in given}


class JsonLines(JsonFormatter):
    """One JSON object on each line, with the same first fields in all of them."""

    def __init__(self, release: str) -> None:
        super().__init__(json_default=str)
        self.release = release

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        log_data["timestamp"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data["level"] = record.levelname.lower()
        log_data["logger"] = record.name
        log_data["message"] = record.message
        log_data.update(visits.whereabouts())
        log_data["release"] = self.release
        log_data["process"] = record.process
        log_data.update(fields_of(record))
        for name, text in (("exception", message_dict.get("exc_info")), ("stack", message_dict.get("stack_info"))):
            if text:
                log_data[name] = anonymise(text)


class TextLines(logging.Formatter):
    """For people: time, level, what happened, and where; tracebacks are set in: nothing in them can pose as a line."""

    def __init__(self, release: str, colours: bool | None = None) -> None:
        super().__init__()
        self.release = release
        self.colours = sys.stderr.isatty() and "NO_COLOR" not in os.environ if colours is None else colours

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        head = f"{at} {record.levelname:<7} {record.name}: {on_one_line(record.getMessage())}"
        known = {**visits.whereabouts(), "release": self.release}
        tail = " ".join(f"{name}={on_one_line(str(value))}" for name, value in known.items() if value)
        lines = [f"{self._coloured(head, record.levelname)}  {self._dimmed(f'[{tail}]')}"]
        for block in filter(None, (record.exc_text, record.stack_info)):
            lines += [f"    {on_one_line(line)}" for line in anonymise(block).split("\n")]
        return "\n".join(lines)

    def _coloured(self, text: str, level: str) -> str:
        return f"{COLOURS[level]}{text}{PLAIN}" if self.colours and level in COLOURS else text

    def _dimmed(self, text: str) -> str:
        return f"{DIM}{text}{PLAIN}" if self.colours else text


def on_one_line(text: str) -> str:
    """Control characters shown instead of obeyed: a path or a header cannot begin a line of its own."""
    return text.translate(_VISIBLE)
