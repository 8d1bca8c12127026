"""What somebody typed when their session had ended is there again after signing in, and sent by nobody but them."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts import kept_forms
from accounts.models import Invitation, Session
from tenants import scope
from tests.factories import make_organisation

pytestmark = pytest.mark.django_db
BEN, ANN = "demonstration|cinema-analyst", "demonstration|cinema-admin"
HOST = {"Host": "marketedge.example"}
FORM = "/admin/accounts/invitation/add/"


@pytest.fixture
def browser(sign_in: Any, known: Any) -> Client:
    """Of a superuser whose session has ended."""
    known(BEN, email="ben@example.com", is_staff=True, is_superuser=True)
    sign_in(BEN)
    end_session()
    return sign_in.client


def end_session() -> None:
    with scope.login():
        Session.objects.update(expire_date=timezone.now())


def typed(**changes: Any) -> dict[str, Any]:
    return {"email": "kim@example.com", "role": "viewer", "reason": "she asked\nand waits", **changes}


def send(browser: Client, **changes: Any) -> str:
    """Send the form; returns where that leads."""
    return browser.post(
        FORM, typed(**changes), headers={**HOST, "Referer": f"https://marketedge.example{FORM}"}
    ).headers["Location"]


def path_in(location: str) -> str:
    return location.partition("next=")[2]


def fields_of(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="\w+"[^>]* name="([^"]+)" value="([^"]*)"', page)
    areas = re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    return {name: value for name, value in [*found, *areas] if name not in {"csrfmiddlewaretoken", kept_forms.SENT}}


def test_the_sign_in_page_says_that_the_text_is_kept(browser):
    page = browser.get(send(browser)).content.decode()

    assert "What you typed is kept" in page


def test_after_signing_in_the_form_is_there_filled_in_and_nothing_was_saved(browser, sign_in):
    response = sign_in(BEN, next=path_in(send(browser)))

    page = browser.get(response.url)
    assert (page.status_code, fields_of(page.content.decode())) == (200, typed())
    assert f'action="{FORM}"' in page.content.decode()
    with scope.login():
        assert Invitation.unscoped.count() == 0


def test_sending_it_again_saves_it_and_it_is_kept_no_longer(browser, sign_in):
    organisation = make_organisation()
    whole = {"organisation": organisation.pk, "expires_at_0": "2099-01-01", "expires_at_1": "12:00"}
    path = sign_in(BEN, next=path_in(send(browser, **whole))).url
    page = browser.get(path).content.decode()
    key = path.split("/")[2]

    answer = browser.post(FORM, {**fields_of(page), kept_forms.SENT: key})

    with scope.login():
        assert (answer.status_code, Invitation.unscoped.get().email) == (302, "kim@example.com")
    assert browser.get(path).status_code == 404


def test_sending_it_again_asks_for_the_forms_token(browser, sign_in):
    sign_in(BEN, next=path_in(send(browser)))
    strict = Client(enforce_csrf_checks=True, headers={"X-Forwarded-Proto": "https"})
    strict.cookies = browser.cookies

    assert strict.post(FORM, typed(), headers={"Referer": "https://testserver/"}).status_code == 403


def test_somebody_else_at_the_same_browser_does_not_see_it(browser, sign_in, known):
    known(ANN)
    path = path_in(send(browser))

    page = browser.get(sign_in(ANN, next=path).url)

    assert (page.status_code, "kim@example.com" in page.content.decode()) == (404, False)


def test_another_browser_of_the_same_person_does_not_see_it(browser, provider, known):
    from tests.accounts.conftest import SignIn

    path = path_in(send(browser))
    other = SignIn(provider, Client(headers={"X-Forwarded-Proto": "https"}))

    assert other.client.get(other(BEN, next=path).headers["Location"]).status_code == 404


def test_a_browser_in_which_nobody_signed_in_keeps_nothing(client):
    location = send(client)

    assert (path_in(location), Session.objects.count()) == (FORM, 0)


def test_a_browser_in_which_somebody_signed_out_keeps_nothing(sign_in, known):
    known(BEN)
    sign_in(BEN)
    sign_in.client.post("/sign-out/")

    assert path_in(send(sign_in.client)) == FORM


def test_a_cookie_that_we_did_not_sign_keeps_nothing(client):
    client.cookies["__Host-last_person"] = "ImV2ZXJ5Ym9keSI:1abcde:forged"

    assert path_in(send(client)) == FORM


def test_a_cookie_that_its_browser_should_have_forgotten_keeps_nothing(browser, monkeypatch, settings):
    later = kept_forms.time.time() + settings.SESSION_COOKIE_AGE + 86401
    monkeypatch.setattr(kept_forms.time, "time", lambda: later)

    assert path_in(send(browser)) == FORM


def test_a_text_that_is_too_long_is_not_kept(browser):
    assert path_in(send(browser, reason="x" * kept_forms.LONGEST)) == FORM


def test_the_sign_in_page_says_that_a_text_was_not_kept(browser):
    lost = browser.get(send(browser, reason="x" * kept_forms.LONGEST)).content.decode()
    browser.cookies.clear()
    of_a_stranger = browser.get(send(browser)).content.decode()
    empty = browser.get(send(browser, **dict.fromkeys(typed(), ""))).content.decode()

    assert ["what you typed may still be there" in page for page in (lost, of_a_stranger, empty)] == [True, True, False]


def test_no_more_than_three_forms_are_kept(browser, sign_in):
    paths = [path_in(send(browser)) for _ in range(4)]
    sign_in(BEN)

    assert [browser.get(path).status_code for path in paths] == [404, 200, 200, 200]


def test_a_text_is_kept_for_an_hour(browser, sign_in, monkeypatch):
    path = path_in(send(browser))
    sign_in(BEN)
    later = kept_forms.time.time() + 3601
    monkeypatch.setattr(kept_forms.time, "time", lambda: later)

    assert browser.get(path).status_code == 404


def test_secrets_and_files_are_not_kept(browser, sign_in):
    names = ["password", "passphrase", "api_token", "client_secret", "api_key", "privateKey", "credentials"]
    secrets = dict.fromkeys([*names, "authorization"], "x")
    path = path_in(send(browser, **secrets, file=SimpleUploadedFile("a.csv", b"price")))
    sign_in(BEN)

    page = browser.get(path).content.decode()

    assert (fields_of(page), "choose them again" in page) == (typed(), True)


def test_what_was_typed_is_shown_as_text(browser, sign_in):
    path = path_in(send(browser, reason="</textarea><script>alert(1)</script>\n"))
    sign_in(BEN)

    assert "<script>alert" not in browser.get(path).content.decode()


def test_a_body_that_is_no_form_is_not_kept(browser):
    response = browser.post(FORM, {"a": "b"}, content_type="application/json")

    assert path_in(response.headers["Location"]) == FORM


def test_who_cannot_keep_the_text_returns_to_the_page_that_the_form_was_on(client):
    response = client.post(FORM, {"a": "b"}, headers={**HOST, "Referer": "https://marketedge.example/organisations/"})

    assert path_in(response.headers["Location"]) == "/organisations/"


def test_a_page_of_another_site_is_not_returned_to(client):
    response = client.post(FORM, {"a": "b"}, headers={**HOST, "Referer": "https://evil.example/organisations/"})

    assert path_in(response.headers["Location"]) == FORM


def test_a_page_whose_address_is_none_makes_no_fault(client):
    response = client.post(FORM, {"a": "b"}, headers={**HOST, "Referer": "https://["})

    assert path_in(response.headers["Location"]) == FORM


def test_no_more_is_kept_than_somebody_types(browser):
    before = Session.objects.count()
    for _ in range(kept_forms.RATE.burst + 5):
        browser.cookies.pop("__Host-sessionid", None)
        send(browser)

    assert Session.objects.count() - before <= kept_forms.RATE.burst


@pytest.fixture
def outdated(sign_in: Any, known: Any) -> Any:
    """Sends a form that was opened before its person signed in again; called with what the browser says of it."""
    known(BEN, email="ben@example.com", is_staff=True, is_superuser=True)
    sign_in.client.handler.enforce_csrf_checks = True
    sign_in(BEN)
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)', sign_in.client.get(FORM, headers=HOST).content.decode())
    end_session()
    sign_in(BEN)
    told = {**HOST, "Origin": "https://marketedge.example", "Referer": f"https://marketedge.example{FORM}"}
    form = typed(csrfmiddlewaretoken=token[1] if token else "")
    return lambda **headers: sign_in.client.post(FORM, form, headers={**told, **headers})


FROM_OUR_PAGE = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}


def test_a_form_from_before_the_last_sign_in_is_shown_again_and_not_saved(outdated, sign_in):
    response = outdated(**FROM_OUR_PAGE)

    page = sign_in.client.get(response.url)
    assert (page.status_code, fields_of(page.content.decode())) == (200, typed())
    with scope.login():
        assert Invitation.unscoped.count() == 0


@pytest.mark.parametrize(
    "told",
    [
        {},
        {**FROM_OUR_PAGE, "Sec-Fetch-Site": "same-site"},
        {**FROM_OUR_PAGE, "Sec-Fetch-Site": "cross-site"},
        {**FROM_OUR_PAGE, "Sec-Fetch-Mode": "cors"},
    ],
)
def test_a_form_without_a_good_token_from_elsewhere_is_not_kept(outdated, sign_in, told):
    response = outdated(**told)

    assert (response.status_code, kept_forms.FORMS in sign_in.client.session) == (403, False)


def test_signing_out_from_an_outdated_page_keeps_nothing(outdated, sign_in):
    response = sign_in.client.post("/sign-out/", {"csrfmiddlewaretoken": "x" * 64}, headers={**HOST, **FROM_OUR_PAGE})

    assert (response.status_code, kept_forms.FORMS in sign_in.client.session) == (403, False)
