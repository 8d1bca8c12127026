"""`smoke`: each stop of the journey is shown to fail when the instance does not do what it must."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from http.client import HTTPMessage
from urllib.parse import urljoin, urlsplit

import pytest
from django.core.management import CommandError
from django.test import Client

from accounts.fetching import Answer, Unreachable
from marketedge.management.commands.smoke import Command, _subject
from marketedge.smoke import journey
from marketedge.smoke.visit import Page, Visit
from tenants.operations import Report
from tests.tenants.test_operations import ended

pytestmark = pytest.mark.django_db
BASE = "https://marketedge.example"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
HEALTHY = dict.fromkeys(journey.FIELDS) | {
    "status": "healthy",
    "commit": COMMIT[:12],
    "allowed_origins": ["https://app.example"],
}
TOLD = {
    "/healthz/live": {"status": "live"},
    "/healthz/startup": {"status": "started"},
    "/healthz/ready": {"status": "ready"},
    "/health": HEALTHY,
}


def headers_of(given: list[tuple[str, str]]) -> HTTPMessage:
    message = HTTPMessage()
    for name, value in given:
        message[name] = value
    return message


class InProcess(Visit):
    """Asks the product itself, without a server between; `lie` may change each answer on its way."""

    def __init__(self, lie: Callable[[str, Answer], Answer] = lambda path, answer: answer) -> None:
        super().__init__(BASE, float("inf"))
        self.lie = lie

    def _ask(self, method, address, body, headers):
        url = urljoin(self.base, address)
        parts = urlsplit(url)
        cookies = {"Cookie": "; ".join(f"{name}={value}" for (_, name), value in self.cookies.items())}
        given = {"Host": parts.netloc, "X-Forwarded-Proto": parts.scheme, **cookies, **headers}
        answer = self._answer(method, parts, body, given)
        answer = self.lie(parts.path, answer)
        self._keep(parts.netloc, answer)
        return answer

    def _answer(self, method, parts, body, given) -> Answer:
        if parts.path in TOLD:
            return Answer(200, headers_of([]), json.dumps(TOLD[parts.path]).encode(), 0, 0)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        response = Client().generic(
            method, path, body, "application/x-www-form-urlencoded", headers=given, secure=parts.scheme == "https"
        )
        baked = [("Set-Cookie", morsel.OutputString()) for morsel in response.cookies.values()]
        content = response.getvalue()
        return Answer(response.status_code, headers_of([*response.items(), *baked]), content, 0, 0)


def problems(report: Report) -> list[str]:
    return [f"{finding.subject}: {finding.says}" for finding in report.findings if finding.state == "problem"]


def walked(lie=lambda path, answer: answer, commit: str = COMMIT) -> Report:
    command = Command()
    command.report = Report()
    command._walk(InProcess(lie), commit, None)
    return command.report


@pytest.fixture(autouse=True)
def redirecting(settings):
    settings.SECURE_SSL_REDIRECT = True


def test_an_instance_that_works_has_no_problem():
    assert problems(walked()) == []


def with_header(path: str, name: str, value: str | None):
    """Lies about one header of the answers at a path."""

    def lie(asked: str, answer: Answer) -> Answer:
        if asked != path:
            return answer
        kept = [(known, said) for known, said in answer.headers.items() if known.lower() != name.lower()]
        return replace(answer, headers=headers_of([*kept, *([(name, value)] if value else [])]))

    return lie


def with_status(path: str, status: int, body: bytes = b"{}"):
    def lie(asked: str, answer: Answer) -> Answer:
        return replace(answer, status=status, body=body) if asked.startswith(path) else answer

    return lie


def with_location(old: str, new: str):
    """Lies about where the sign-in leads."""

    def lie(asked: str, answer: Answer) -> Answer:
        location = answer.headers.get("Location", "")
        return with_header(asked, "Location", location.replace(old, new))(asked, answer) if location else answer

    return lie


def with_summary(**changes):
    def lie(asked: str, answer: Answer) -> Answer:
        return replace(answer, body=json.dumps({**HEALTHY, **changes}).encode()) if asked == "/health" else answer

    return lie


def without_origin(asked: str, answer: Answer) -> Answer:
    return with_header(asked, "Access-Control-Allow-Origin", None)(asked, answer)


def with_any_origin(asked: str, answer: Answer) -> Answer:
    if not asked.startswith("/api/"):
        return answer
    return with_header(asked, "Access-Control-Allow-Origin", "*")(asked, answer)


def with_bare_cookies(asked: str, answer: Answer) -> Answer:
    baked = answer.headers.get_all("Set-Cookie") or []
    kept = [(name, value) for name, value in answer.headers.items() if name != "Set-Cookie"]
    return replace(answer, headers=headers_of([*kept, *(("Set-Cookie", line.split(";")[0]) for line in baked)]))


NOT_READY = b'{"problems": {"database": "it is away"}}'


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (with_status("/healthz/live", 500), "/healthz/live: status 500"),
        (with_status("/healthz/ready", 503, NOT_READY), '/healthz/ready: status 503: {"database": "it is away"}'),
        (with_summary(status="degraded", database_error="away"), "/health: degraded: away"),
        (lambda path, answer: replace(answer, body=b"{}") if path == "/health" else answer, "/health: does not tell"),
        (
            lambda path, answer: replace(answer, body=b"[" * 50_000) if path == "/health" else answer,
            "/health: does not tell",
        ),
        (with_summary(commit="fedcba9"), f"commit: fedcba9 runs, {COMMIT} was expected"),
        (with_summary(commit="unknown"), f"commit: unknown runs, {COMMIT} was expected"),
        (with_summary(commit="0123"), f"commit: 0123 runs, {COMMIT} was expected"),
        (with_status("/sign-in/", 500), "sign-in page: status 500"),
        (with_status("/sign-in/", 200, b"<p>hello"), "sign-in page: has no button that begins the sign-in"),
        (with_header("/sign-in/", "X-Frame-Options", None), "sign-in page: X-Frame-Options is None, expected DENY"),
        (
            with_header("/sign-in/", "Content-Security-Policy", "default-src 'unsafe-inline'"),
            "sign-in page: its Content-Security-Policy is missing or weak",
        ),
        (
            with_header("/sign-in/", "Referrer-Policy", "unsafe-url"),
            "sign-in page: its Referrer-Policy tells other sites too much",
        ),
        (with_header("/sign-in/", "Cache-Control", "public"), "sign-in page: it may be kept in caches"),
        (
            with_header("/sign-in/", "Strict-Transport-Security", None),
            "sign-in page: it does not hold browsers to https",
        ),
        (with_location("&nonce=", "&other="), "way to the provider: nonce is missing"),
        (with_location("&state=", "&other="), "way to the provider: state is missing"),
        (with_location("S256", "plain"), "way to the provider: code_challenge_method is plain, expected S256"),
        (with_location("marketedge.example", "evil.example"), "way to the provider: redirect_uri is https://evil"),
        (with_status("/oidc/authenticate/", 500), "way to the provider: status 500: the browser is not sent"),
        (with_bare_cookies, " lacks httponly"),
        (with_bare_cookies, " lacks secure"),
        (with_status("/static/", 404), "static files: /static/marketedge/marketedge.css answers 404"),
        (with_status("/sign-out/", 403), "sign-out: status 403: what this sign-in began stays"),
        (with_status("/organisations/", 200), "/organisations/: status 200, expected the sign-in"),
        (with_status("/admin/", 200), "/admin/: status 200, expected the sign-in"),
        (with_status("/metrics", 200), "/metrics: status 200, expected 401"),
        (
            lambda path, answer: replace(answer, status=200) if answer.status == 404 else answer,
            "unknown page: status 200, expected 404",
        ),
        (without_origin, "API: https://app.example is allowed and cannot read the answer"),
        (with_any_origin, "API for a foreign origin: allows *"),
        (with_status("/api/", 503), "API: status 503"),
        (
            lambda path, answer: replace(answer, status=200) if answer.status in {301, 308} else answer,
            "http: status 200: it does not lead to https",
        ),
    ],
)
def test_what_does_not_work_is_said(lie, words):
    assert any(words in problem for problem in problems(walked(lie)))


@pytest.mark.parametrize("expected", [COMMIT, COMMIT[:7], COMMIT[:20]])
def test_a_commit_may_be_given_in_short(expected):
    assert problems(walked(commit=expected)) == []


def test_without_an_allowed_origin_the_api_is_noted():
    report = walked(with_summary(allowed_origins=[]))

    assert (problems(report), [finding.says for finding in report.findings if finding.subject == "API"]) == (
        [],
        ["no origin is allowed to call it"],
    )


def test_the_button_may_be_a_form():
    answer = Answer(
        200, headers_of([]), b'<form method=post action="/oidc/authenticate/"><input type=hidden name=a value=b>', 0, 0
    )
    asked = []

    class Recording(Visit):
        def _ask(self, method, address, body, headers):
            asked.append((method, address, body))
            return answer

    journey.begin_sign_in(Recording(BASE, 0), Page(answer))

    assert asked == [("POST", "/oidc/authenticate/", "a=b")]


def test_cookies_go_to_their_own_host_alone(monkeypatch):
    sent = []

    def fetch(url, *, headers, **options):
        sent.append((url, headers.get("Cookie")))
        return Answer(200, headers_of([("Set-Cookie", "a=1; Path=/")]), b"", 0, 0)

    monkeypatch.setattr("marketedge.smoke.visit.fetch", fetch)
    visit = Visit(BASE, float("inf"))
    for address in ("/", "/", "https://elsewhere.example/"):
        visit.get(address)

    assert [cookie for _, cookie in sent] == [None, "a=1", None]


def smoke(*arguments: str) -> tuple[int, str, str]:
    return ended(Command(stdout=io.StringIO(), stderr=io.StringIO()), *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["ftp://marketedge.example"],
        ["https://marketedge.example/path"],
        ["https://user:pw@marketedge.example"],
        [BASE, "--expect-commit", "123"],
        [BASE, "--expect-commit", "not-a-commit"],
        [BASE, "--as", "chloe@lumen-cinemas.example"],
        ["http://127.0.0.1:1", "--as", "stranger@example.com"],
    ],
)
def test_bad_usage_is_one_line(arguments):
    code, said, complaint = smoke(*arguments)

    assert (code, said, len(complaint.splitlines())) == (2, "", 1)


def test_an_instance_that_is_not_there_cannot_be_told():
    code, said, _ = smoke("http://127.0.0.1:1", "--json")

    assert (code, json.loads(said)["findings"][0]["says"]) == (3, "the connection is refused: nothing listens there")


def test_an_instance_that_goes_away_on_the_way_cannot_be_told():
    def lie(path: str, answer: Answer) -> Answer:
        if path == "/sign-in/":
            raise Unreachable("it ended the connection")
        return answer

    with pytest.raises(Unreachable):
        walked(lie)


def test_nobody_is_signed_in_for_a_check_elsewhere():
    with pytest.raises(CommandError, match="demonstration on this host alone"):
        _subject(BASE, "chloe@lumen-cinemas.example")
