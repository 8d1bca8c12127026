"""Walks through a running instance from outside, as a person would."""

import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from accounts.fetching import Unreachable, Untrusted
from marketedge.environment import is_loopback, parse_url
from marketedge.smoke import journey, person
from marketedge.smoke.visit import Visit
from tenants.operations import LookingCommand, Report, UsageError


class Command(LookingCommand):
    help = (
        "Ask an instance for health, sign-in, files, closed pages and the API, from outside; nothing is left behind."
        " Exit code 0: it works, 1: something does not, 3: it cannot be reached."
    )
    default_timeout = 30.0

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url", type=instance, help="such as https://marketedge.example")
        parser.add_argument("--expect-commit", type=commit, help="the commit that must run there")
        parser.add_argument(
            "--as", dest="email", default="", help="one of the demonstration's people, to sign in at its local provider"
        )

    def look(self, *, url: str, expect_commit: str | None, email: str, timeout: float, **options: Any) -> Report:
        subject = _subject(url, email) if email else None
        visit = Visit(url, time.monotonic() + timeout * 0.9)
        try:
            self._walk(visit, expect_commit or "", subject)
        except Untrusted as fault:
            self.report.problem(url, str(fault), "Browsers would not open it either.")
        except Unreachable as fault:
            self.report.unknown(url, str(fault), "The rest could not be looked at.")
        return self.report

    def _walk(self, visit: Visit, expect_commit: str, subject: str | None) -> None:
        origins = journey.look_at_health(visit, self.report, expect_commit)
        try:
            journey.look_at_sign_in(visit, self.report)
        finally:
            left = journey.leave(visit)
        if left.status != 302:
            self.report.problem("sign-out", f"status {left.status}: what this sign-in began stays until it expires")
        journey.look_at_closed_doors(visit, self.report)
        journey.look_at_api(visit, self.report, origins)
        journey.look_at_http(visit, self.report)
        if subject:
            person.look_signed_in(visit, self.report, subject)


def instance(text: str) -> str:
    try:
        url = parse_url(text).rstrip("/")
    except ValueError:
        url = ""
    if url.count("/") != 2 or "@" in url:
        raise ArgumentTypeError(f"{text!r} is not an instance: expected https://host, without a path.")
    return url


def commit(text: str) -> str:
    if not journey.is_commit(text):
        raise ArgumentTypeError(f"{text!r} is not a commit: expected at least seven hexadecimal digits.")
    return text.lower()


def _subject(url: str, email: str) -> str:
    if not is_loopback(url):
        raise UsageError("--as is for a demonstration on this host alone: elsewhere nobody signs in for a check.")
    subject = person.subject_of(email)
    if subject is None:
        raise UsageError(f"{email} is not one of the demonstration's people.")
    return subject
