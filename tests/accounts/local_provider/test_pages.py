"""The page shows everybody, runs nothing, and lets the browser go on to the client alone."""

import re

import pytest

from accounts.demonstration import PEOPLE
from tests.accounts.local_provider.conftest import ASKED

BUTTON = re.compile(r'name="subject" value="([^"]+)"')


def page(browser):
    return browser.get("/authorize", **ASKED).text


def headings_on(text):
    return re.findall(r"<h2>(.*?)</h2>", text)


def test_everybody_is_on_the_page_once(browser):
    assert sorted(BUTTON.findall(page(browser))) == sorted(person.subject for person in PEOPLE)


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_everybody_is_on_the_page_once_with_whoever_was_here_before_first(browser, person):
    browser.choose(person.subject)

    subjects = BUTTON.findall(page(browser))

    assert (subjects[0], sorted(subjects)) == (person.subject, sorted(person.subject for person in PEOPLE))


def test_people_are_grouped_by_what_they_can_do(browser):
    assert headings_on(page(browser)) == ["Zebra Associates", "Client organisations", "People who cannot get in"]


def test_a_person_is_shown_with_address_and_what_they_are(browser):
    shown = page(browser)

    assert [person.name for person in PEOPLE if person.email not in shown or person.says not in shown] == []


def test_the_page_says_that_there_are_no_passwords_and_where_it_leads(browser):
    shown = page(browser)

    assert "There are no passwords here" in shown
    assert '<span class="client">https://us.example</span>' in shown


def test_what_is_shown_is_escaped(browser, monkeypatch):
    monkeypatch.setattr("accounts.local_provider.pages.origin_of", lambda uri: "<script>alert(1)</script>")

    assert "&lt;script&gt;" in page(browser)
    assert "<script" not in page(browser)


def test_the_page_holds_to_its_own_policy(browser):
    heard = browser.get("/authorize", **ASKED)

    assert heard.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; form-action 'self' https://us.example; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    assert [word for word in ("style=", "<style", "<script", "onclick") if word in heard.text] == []


def test_pages_are_not_stored(browser):
    assert browser.get("/authorize", **ASKED).headers["Cache-Control"] == "no-store"


def test_the_style_is_served(browser):
    heard = browser.get("/style.css")

    assert (heard.status, heard.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert "prefers-color-scheme: dark" in heard.text
