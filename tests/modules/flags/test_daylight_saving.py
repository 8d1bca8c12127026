"""Windows and ramps on the days on which clocks are changed, by an hour in London and by half an hour on Lord Howe."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from modules.flags.answers import Context
from modules.flags.document import moment_text
from modules.flags.ladder import bucket, climb
from modules.flags.snapshot import compile_release
from tests.modules.flags.documents import body, document, override

LONDON, LORD_HOWE = ZoneInfo("Europe/London"), ZoneInfo("Australia/Lord_Howe")
MINUTE = timedelta(minutes=1)
HERE = Context(organisation="here")


def local(zone: ZoneInfo, text: str, *, again: bool = False) -> datetime:
    """The second time that a clock shows it, with `again`."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=int(again))


# From, until, and how many minutes lie between, as everybody's watch counts them.
PERIODS = [
    (local(LONDON, "2026-03-29T00:00"), local(LONDON, "2026-03-30T00:00"), 23 * 60),
    (local(LONDON, "2026-03-29T00:59"), local(LONDON, "2026-03-29T02:00"), 1),
    (local(LONDON, "2026-10-25T00:00"), local(LONDON, "2026-10-26T00:00"), 25 * 60),
    (local(LONDON, "2026-10-25T01:30"), local(LONDON, "2026-10-25T01:30", again=True), 60),
    (local(LORD_HOWE, "2026-10-04T00:00"), local(LORD_HOWE, "2026-10-05T00:00"), 23 * 60 + 30),
    (local(LORD_HOWE, "2026-10-04T01:59"), local(LORD_HOWE, "2026-10-04T02:30"), 1),
    (local(LORD_HOWE, "2026-04-05T00:00"), local(LORD_HOWE, "2026-04-06T00:00"), 24 * 60 + 30),
    (local(LORD_HOWE, "2026-04-05T01:45"), local(LORD_HOWE, "2026-04-05T01:45", again=True), 30),
]
FIELDS = {
    "window": lambda start, end: {"starts_at": start, "ends_at": end},
    "ramp": lambda start, end: {
        "rollout": 0,
        "ramp": [{"at": start, "rollout": bucket("salt", "here") + 1}, {"at": end, "rollout": bucket("salt", "here")}],
    },
    "override": lambda start, end: {"enabled": False, "overrides": [override(starts_at=start, expires_at=end)]},
}


@pytest.mark.parametrize("fields", FIELDS)
@pytest.mark.parametrize(("start", "end", "minutes"), PERIODS)
def test_it_lasts_as_long_as_a_watch_says_and_has_no_gap(start, end, minutes, fields):
    text = document(f=body(**FIELDS[fields](moment_text(start), moment_text(end))))
    begins_at = start.astimezone(UTC) - timedelta(hours=2)
    snapshot = compile_release(1, text, begins_at)

    on = []
    for number in range(minutes + 240):
        at = begins_at + number * MINUTE
        if at.timestamp() >= snapshot.next_at:
            snapshot = snapshot.at(at)
        on.append(climb(snapshot.flags["f"], HERE).is_on)

    assert on == [False] * 120 + [True] * minutes + [False] * 120
