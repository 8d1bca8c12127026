"""`manage.py check` refuses settings that weaken the sign-in."""

import pytest

from accounts.checks import sign_in_is_strict


def test_the_settings_are_strict():
    assert sign_in_is_strict() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OIDC_RP_SIGN_ALGO", "HS256"),
        ("OIDC_USE_PKCE", False),
        ("OIDC_PKCE_CODE_CHALLENGE_METHOD", "plain"),
        ("OIDC_USE_NONCE", False),
        ("OIDC_STORE_ID_TOKEN", True),
        ("OIDC_STORE_ACCESS_TOKEN", True),
    ],
)
def test_a_weaker_setting_is_named(settings, name, value):
    setattr(settings, name, value)

    assert [(problem.id, problem.msg) for problem in sign_in_is_strict()] == [
        ("accounts.E001", f"{name} weakens the sign-in.")
    ]


def test_sessions_are_not_renewed_behind_peoples_backs(settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "mozilla_django_oidc.middleware.SessionRefresh"]

    assert [problem.id for problem in sign_in_is_strict()] == ["accounts.E002"]


@pytest.mark.parametrize("name", ["SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME"])
def test_cookies_that_another_host_could_set_are_named(settings, name):
    setattr(settings, name, "plain")

    assert [problem.id for problem in sign_in_is_strict()] == ["accounts.E003"]


def test_the_demonstration_has_plain_cookies(settings):
    settings.SECURE_COOKIES, settings.SESSION_COOKIE_NAME = False, "sessionid"

    assert sign_in_is_strict() == []
