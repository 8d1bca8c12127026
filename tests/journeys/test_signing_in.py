"""Everybody signs in through the real provider, and lands where they belong."""

import pytest


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("Sana Whitlock", "/o/zebra-associates/"),
        ("Tom Ashdown", "/o/zebra-associates/"),
        ("Amara Lindqvist", "/o/lumen-cinemas/"),
        ("Ben Castellan", "/o/lumen-cinemas/"),
        ("Chloe Marchetti", "/o/lumen-cinemas/"),
        ("Dev Rosenthal", "/o/harbour-hotels/"),
        ("Esme Okonjo", "/o/harbour-hotels/"),
        ("Felix Brandt", "/o/harbour-hotels/"),
        ("Greta Valdez", "/organisations/"),
        ("Hugo Pemberton", "/o/oakfield-hardware/"),
    ],
)
def test_a_person_lands_where_they_belong(product, sign_in, name, path):
    assert sign_in(name).url == f"{product.url}{path}"


def test_a_suspended_organisation_says_so(sign_in):
    assert "suspended" in sign_in("Hugo Pemberton").locator("main").inner_text()


@pytest.mark.parametrize(
    ("name", "words"),
    [("Jack Thornbury", "support@"), ("Kim Farrow", "verified"), ("Iris Novak", "deactivated")],
)
def test_those_who_may_not_enter_read_why_and_whom_to_ask(sign_in, name, words):
    page = sign_in(name)

    assert words in page.locator("main").inner_text()
    assert page.get_by_role("button", name="Sign out").count() == 0


def test_a_page_asked_for_before_signing_in_is_reached_afterwards(product, sign_in):
    page = sign_in("Ben Castellan", path="/o/lumen-cinemas/market-edge-core/")

    assert page.url == f"{product.url}/o/lumen-cinemas/market-edge-core/"


def test_signing_out_ends_the_session_here_and_at_the_provider(product, sign_in):
    page = sign_in("Ben Castellan")
    page.locator("header").get_by_text("Ben Castellan").first.click()

    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{product.url}/signed-out/")
    page.goto("/o/lumen-cinemas/")

    assert page.url.startswith(f"{product.url}/sign-in/")


def test_the_admin_site_leads_to_the_same_sign_in_and_has_no_password_form(product, open_page):
    page = open_page()

    page.goto("/admin/login/")

    assert (page.url.startswith(f"{product.url}/sign-in/"), page.locator("input[type=password]").count()) == (True, 0)


def test_signed_in_people_who_are_not_staff_are_refused_by_the_admin_site(sign_in):
    page = sign_in("Amara Lindqvist")

    assert page.goto("/admin/").status == 403


def test_a_refusal_leaves_neither_code_nor_state_in_the_address(product, sign_in):
    assert sign_in("Jack Thornbury").url == f"{product.url}/sign-in/refused/"


def test_somebody_who_was_refused_can_try_another_account(product, sign_in):
    page = sign_in("Jack Thornbury")

    page.get_by_role("link", name="Try another account").click()
    page.get_by_role("button", name="Ben Castellan").click()

    page.wait_for_url(f"{product.url}/o/lumen-cinemas/")


def test_what_was_typed_is_there_again_when_the_session_had_ended(product, sign_in):
    page = sign_in("Sana Whitlock", path="/admin/accounts/invitation/add/")
    page.get_by_label("E-mail address").fill("kim@elsewhere.example")
    page.context.clear_cookies(name="sessionid")

    page.get_by_role("button", name="Save", exact=True).click()
    assert "What you typed is kept" in page.locator("main").inner_text()
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name="Sana Whitlock").click()
    page.wait_for_url("**/kept-form/**")

    assert page.get_by_label("Email").input_value() == "kim@elsewhere.example"
    page.get_by_role("button", name="Send it again").click()
    page.wait_for_url(f"{product.url}/admin/accounts/invitation/add/")
    assert page.get_by_label("E-mail address").input_value() == "kim@elsewhere.example"
