"""Deletes what is over: expired sessions, previews, invitations and links."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.utils import timezone

from modules import cleaning
from tenants.operations import ChangingCommand


class Command(ChangingCommand):
    help = (
        "Delete expired sessions and previews, the invitations and platform admin links that ended ENDED_KEPT_DAYS ago,"
        " and how flags were used longer ago than FLAG_USE_KEPT_DAYS. For a timer: in batches, also several at once. It"
        " changes rows only, never tables."
    )
    default_timeout = 300.0

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--limit",
            type=rows,
            default=cleaning.LIMIT,
            help=f"of each kind at most so many rows in one run ({cleaning.LIMIT})",
        )

    def change(self, *, by: Any, reason: str, limit: int, **options: Any) -> list[str]:
        deleted = cleaning.clean_up(at=timezone.now(), by=by, reason=reason, limit=limit)
        self.report.data["deleted"] = deleted
        for words, count in deleted.items():
            if count == limit:
                self.report.note(words, f"there may be more than the limit of {limit}: run it again")
        return [f"delete {count} {words}" for words, count in deleted.items() if count]


def rows(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 1_000_000):
        raise ArgumentTypeError(f"{text!r} is not a number of rows: expected 1 to 1000000.")
    return int(text)
