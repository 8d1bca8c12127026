"""Keys change while clients look: the new one signs, and what the former ones signed is believed for a while."""

import re

import jwt
import pytest

from tests.accounts.local_provider.conftest import SPENT


def published(browser):
    return [key["kid"] for key in browser.get("/.well-known/jwks.json").json["keys"]]


def pending_on(browser):
    return re.findall(r'name="pending" value="([^"]+)"', browser.get("/").text)[0]


def change(browser, what):
    return browser.post("/keys", pending=pending_on(browser), **{what: "yes"})


def signed_with(browser):
    token = browser.post("/oauth/token", **SPENT, code=browser.code()).json["id_token"]
    return jwt.get_unverified_header(token)["kid"]


def test_one_key_signs_and_is_published_without_its_secret(browser):
    key = browser.get("/.well-known/jwks.json").json["keys"][0]

    assert set(key) == {"kty", "n", "e", "kid", "alg", "use", "key_ops"}
    assert key["key_ops"] == ["verify"]
    assert signed_with(browser) == key["kid"]


def test_after_a_change_the_new_key_signs_and_the_former_is_still_published(browser):
    former = published(browser)

    answer = change(browser, "rotate")

    now = published(browser)
    assert (answer.status, len(now), now[1:]) == (302, 2, former)
    assert signed_with(browser) == now[0]


def test_former_keys_can_be_taken_back(browser):
    change(browser, "rotate")

    change(browser, "forget")

    assert published(browser) == [signed_with(browser)]


def test_three_keys_are_published_at_most(browser):
    for _ in range(4):
        change(browser, "rotate")

    assert len(published(browser)) == 3


@pytest.mark.parametrize("form", [{}, {"pending": "guessed"}])
def test_keys_are_changed_from_our_own_page_alone(browser, form):
    before = published(browser)

    assert (browser.post("/keys", rotate="yes", **form).status, published(browser)) == (400, before)


def test_the_page_names_the_keys_and_who_is_signed_in(browser):
    change(browser, "rotate")
    browser.choose()

    shown = browser.get("/").text

    assert [kid for kid in published(browser) if kid not in shown] == []
    assert "Sana Whitlock" in shown
