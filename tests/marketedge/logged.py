"""What the log says, as it would be written: for tests, instead of pytest's own words for records."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from marketedge.log_lines import JsonLines, TextLines

RELEASE = "1.2.3+abc"


class Written:
    """The lines of a log while a test runs."""

    def __init__(self, stream: io.StringIO) -> None:
        self.stream = stream

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def of(self, logger: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["logger"] == logger]


@contextmanager
def written(formatter: logging.Formatter) -> Iterator[Written]:
    handler = logging.StreamHandler(stream := io.StringIO())
    handler.setFormatter(formatter)
    logging.getLogger().addHandler(handler)
    try:
        yield Written(stream)
    finally:
        logging.getLogger().removeHandler(handler)


def json_log() -> Any:
    return written(JsonLines(RELEASE))


def text_log(*, colours: bool = False) -> Any:
    return written(TextLines(RELEASE, colours))
