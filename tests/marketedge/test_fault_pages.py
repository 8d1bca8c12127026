"""Reports of faults show what went wrong, and nothing that lets somebody in."""

import sys
from typing import Any

import pytest
from django.test import RequestFactory
from django.views.debug import get_exception_reporter_class

CODE = "c0de-of-the-provider"
VERIFIER = "verifier-of-the-flow"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
PASSWORD = "of-the-database"
CLIENT_SECRET = "not-a-secret"
SESSION = "session-of-somebody"
SECRETS = [CODE, VERIFIER, TOKEN, PASSWORD, CLIENT_SECRET, SESSION]


def exchange(request: Any, code: str) -> None:
    code_verifier = VERIFIER
    form = {"client_secret": CLIENT_SECRET, "nested": [{"code": code}]}
    answer = f"the provider said {TOKEN}"
    raise ValueError(f"{answer} at /oidc/callback/?code={code}", bool(code_verifier and form))


def report_of_a_fault(kind: str) -> str:
    request = RequestFactory().post(
        f"/oidc/callback/?code={CODE}&state=s",
        {"code": CODE, "password": PASSWORD},
        headers={"Cookie": f"sessionid={SESSION}", "Authorization": f"Bearer {TOKEN}"},
        DATABASE_URL=f"postgres://web:{PASSWORD}@host/name",
    )
    try:
        exchange(request, CODE)
    except ValueError:
        reporter_class: Any = get_exception_reporter_class(request)
        reporter = reporter_class(request, *sys.exc_info())
    return getattr(reporter, f"get_traceback_{kind}")()


@pytest.mark.parametrize("is_debugging", [True, False])
@pytest.mark.parametrize("kind", ["html", "text"])
def test_a_report_holds_no_secret(settings, kind, is_debugging):
    settings.DEBUG = is_debugging

    report = report_of_a_fault(kind)

    assert [secret for secret in SECRETS if secret in report] == []


def test_a_report_still_says_what_went_wrong(settings):
    settings.DEBUG = True

    report = report_of_a_fault("html")

    assert [word for word in ("ValueError", "exchange", "code_verifier", "/oidc/callback/") if word not in report] == []
