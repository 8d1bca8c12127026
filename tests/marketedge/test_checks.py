"""`manage.py check --deploy` refuses settings that are weak, says why and what to do."""

import copy
import re

import pytest
from django.core.checks import run_checks

from marketedge.checks import nothing_is_weak, weakness_of
from tests.environment import ROOT

STRONG = "kX3vQ9-pT7mLw2ZrY8nBc4Hd6JfGs1Aa5Ee0UoVi"
OTHER = "mZ8qR2_wE5tY7uI9oP1aS3dF4gH6jK0lC-xVbNnM"


@pytest.fixture
def strong(settings, monkeypatch):
    """Settings as production's, with secrets that nobody could guess."""
    settings.SECRET_KEY, settings.OIDC_RP_CLIENT_SECRET = STRONG, OTHER
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", "of the web's login")
    settings.OWNER_DATABASE = {"PASSWORD": "of the owner"}
    return settings


def told():
    return [problem.msg for problem in nothing_is_weak()]


def test_strong_settings_are_accepted(strong):
    assert told() == []


def test_the_checks_run_when_deploying(strong):
    strong.X_FRAME_OPTIONS = "SAMEORIGIN"

    found = [problem.id for problem in run_checks(tags=["security"], include_deployment_checks=True)]

    assert "marketedge.E007" in found


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SECRET_KEY", "short-but-varied-1", "SECRET_KEY is shorter than 32 characters."),
        ("SECRET_KEY", "abab" * 20, "SECRET_KEY repeats a few characters."),
        ("SECRET_KEY", f"django-insecure-{STRONG}", "SECRET_KEY is one that examples show."),
        ("OIDC_RP_CLIENT_SECRET", "none", "OIDC_RP_CLIENT_SECRET is shorter than 32 characters."),
        ("OIDC_RP_CLIENT_SECRET", STRONG, "Two secrets are the same"),
        ("OWNER_DATABASE", {"PASSWORD": "of the web's login"}, "Two secrets are the same"),
        ("METRICS_TOKEN", STRONG, "Two secrets are the same"),
        ("SESSION_COOKIE_SECURE", False, "SESSION_COOKIE_SECURE weakens"),
        ("SESSION_COOKIE_HTTPONLY", False, "SESSION_COOKIE_HTTPONLY weakens"),
        ("SESSION_COOKIE_SAMESITE", "None", "SESSION_COOKIE_SAMESITE weakens"),
        ("SESSION_COOKIE_DOMAIN", ".example", "SESSION_COOKIE_DOMAIN weakens"),
        ("SESSION_COOKIE_PATH", "/o/", "SESSION_COOKIE_PATH weakens"),
        ("SESSION_COOKIE_AGE", 8 * 3600 + 1, "SESSION_COOKIE_AGE keeps people signed in"),
        ("SESSION_COOKIE_NAME", "sessionid", "SESSION_COOKIE_NAME lets a neighbouring host"),
        ("CSRF_COOKIE_NAME", "__Secure-csrf", "CSRF_COOKIE_NAME lets a neighbouring host"),
        ("CSRF_COOKIE_SECURE", False, "CSRF_COOKIE_SECURE weakens"),
        ("CSRF_COOKIE_HTTPONLY", False, "CSRF_COOKIE_HTTPONLY weakens"),
        ("CSRF_COOKIE_SAMESITE", None, "CSRF_COOKIE_SAMESITE weakens"),
        ("SECURE_HSTS_SECONDS", 31_535_999, "Browsers may still come by http."),
        ("SECURE_HSTS_INCLUDE_SUBDOMAINS", False, "Browsers may still come by http."),
        ("SECURE_HSTS_PRELOAD", False, "Browsers may still come by http."),
        ("SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_SSL", "on"), "A caller could say by a header"),
        ("USE_X_FORWARDED_HOST", True, "A caller could say by a header"),
        ("CORS_ALLOW_ALL_ORIGINS", True, "More origins than those that are named"),
        ("CORS_ALLOWED_ORIGIN_REGEXES", [r".*\.example"], "More origins than those that are named"),
        ("CORS_ALLOWED_ORIGINS", ["http://app.example"], "CORS_ALLOWED_ORIGINS has an address without https."),
        ("API_REDIRECT_URIS", ["http://app.example/callback"], "API_REDIRECT_URIS has an address without https."),
        ("OIDC_CALLBACK_URL", "http://marketedge.example/", "OIDC_CALLBACK_URL has an address without https."),
        ("OIDC_ISSUER", "http://issuer.example/", "OIDC_ISSUER has an address without https."),
        ("OIDC_TIMEOUT", 11, "OIDC_TIMEOUT lets one sign-in hold a thread"),
        ("X_FRAME_OPTIONS", "SAMEORIGIN", "Other pages may show ours in a frame."),
        ("SECURITY_CONTACT", "The help desk", "Nobody can be told of a weakness"),
    ],
)
def test_a_weak_setting_is_told(strong, name, value, words):
    setattr(strong, name, value)

    problems = told()

    assert (len(problems), problems[0].startswith(words)) == (1, True)


@pytest.mark.parametrize("source", ["'unsafe-inline'", "'unsafe-eval'", "data:", "https:", "*"])
def test_a_content_policy_with_something_broad_is_told(strong, source):
    strong.CONTENT_SECURITY_POLICY = copy.deepcopy(strong.CONTENT_SECURITY_POLICY)
    strong.CONTENT_SECURITY_POLICY["DIRECTIVES"]["script-src"].append(source)

    assert told() == [f"The content policy's script-src allows {source}."]


@pytest.mark.parametrize("name", ["default-src", "object-src", "base-uri", "frame-ancestors"])
def test_a_content_policy_that_leaves_something_open_is_told(strong, name):
    strong.CONTENT_SECURITY_POLICY = copy.deepcopy(strong.CONTENT_SECURITY_POLICY)
    del strong.CONTENT_SECURITY_POLICY["DIRECTIVES"][name]

    assert told() == [f"The content policy's {name} is open."]


@pytest.mark.parametrize(
    "name",
    [
        "marketedge.hygiene.BrowserRulesMiddleware",
        "csp.middleware.CSPMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
)
def test_a_protection_that_is_taken_out_is_told(strong, name):
    strong.MIDDLEWARE = [middleware for middleware in strong.MIDDLEWARE if middleware != name]

    assert told() == [f"{name} is not installed."]


def test_every_problem_says_what_to_do_and_no_secret(settings):
    problems = nothing_is_weak()

    assert [problem.msg for problem in problems if not problem.hint] == []
    assert [problem.msg for problem in problems if settings.SECRET_KEY in f"{problem.msg} {problem.hint}"] == []


def test_the_secret_of_the_image_while_it_is_built_is_no_secret():
    known = "only-while-building-0123456789-abcdefghijklmnopqrstuvwxyz"

    assert known in (ROOT / "Dockerfile").read_text()
    assert weakness_of(known) == "is one that examples show"


def test_the_library_of_tokens_is_pinned_where_its_flaws_are_mended():
    asked = re.search(r"^PyJWT\[crypto\]>=(\d+)\.(\d+)", (ROOT / "requirements.in").read_text(), re.MULTILINE)
    pinned = re.search(r"^pyjwt(?:\[crypto\])?==(\d+)\.(\d+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)

    assert asked
    assert pinned
    assert [tuple(map(int, found.groups())) >= (2, 13) for found in (asked, pinned)] == [True, True]
