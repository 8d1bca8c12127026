"""A superuser makes a client token and takes it along, which she can do this once."""

import pytest

MAY_COPY = ["clipboard-read", "clipboard-write"]
REFUSING = "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }"


@pytest.fixture
def made(sign_in):
    """The page that shows a new token, in a browser that lets pages copy."""
    page = sign_in("Sana Whitlock", "/admin/accounts/clienttoken/add/", permissions=MAY_COPY)
    page.goto("/admin/accounts/clienttoken/add/")
    page.locator(".field-organisation .select2-selection").click()
    page.keyboard.type("Lumen")
    page.get_by_role("option", name="Lumen Cinemas").click()
    page.get_by_label("Name").fill("web site")
    page.get_by_label("Reason for the change").fill("its visitors get flags")
    page.get_by_role("button", name="Save").click()
    return page


def test_the_token_is_copied_with_one_click(made):
    token = made.get_by_label("The token").input_value()

    made.get_by_role("button", name="Copy").click()
    made.get_by_text("Copied.", exact=True).wait_for()

    assert token.startswith("mec_")
    assert made.evaluate("navigator.clipboard.readText()") == token


def test_where_the_browser_refuses_it_is_marked_and_said(made):
    made.evaluate(REFUSING)

    made.get_by_role("button", name="Copy").click()
    made.get_by_text("Not copied").wait_for()

    assert made.evaluate("getSelection().toString()") == made.get_by_label("The token").input_value()
