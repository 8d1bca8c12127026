"""A superuser opens a flag, changes its percentage, sees for whom that changes something, and publishes it."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.environment import ROOT
from tests.journeys.test_accessibility import SERIOUS


def flag_page(sign_in, **options: object) -> Page:
    page = sign_in("Sana Whitlock", timezone_id="Europe/London", **options)
    page.goto("/admin/")
    page.goto("/admin/flags/flag/")
    page.get_by_role("link", name="export_functionality").click()
    return page


def serious_findings(page: Page, faults: list[str]) -> list[str]:
    own = len(faults)
    found = [one["id"] for one in Axe().run(page).response["violations"] if one["impact"] in SERIOUS]
    # What the check itself tried on the page, against the page's policy, is not the page's fault.
    del faults[own:]
    return found


def test_a_percentage_is_previewed_edited_again_and_published(sign_in, faults):
    page = flag_page(sign_in, color_scheme="dark")
    expect(page.get_by_text("4 of 4 organisations")).to_be_visible()

    page.get_by_label("Rollout").fill("0")
    page.get_by_label("Reason for the change").fill("Exports are slow")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Everybody loses it.")).to_be_visible()
    assert serious_findings(page, faults) == []

    page.get_by_role("button", name="Back to editing").click()
    expect(page.get_by_label("Rollout")).to_have_value("0")
    page.get_by_label("Rollout").fill("100")
    page.locator("[name=ramp-0-at_0]").fill("2027-07-01")
    page.locator("[name=ramp-0-at_1]").fill("09:00")
    page.locator("[name=ramp-0-percentage]").fill("12.5")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("12.5 % from 01 Jul 2027 09:00 BST")).to_be_visible()

    page.get_by_role("button", name="Publish").click()

    expect(page.get_by_text(re.compile(r"Published as release \d+\."))).to_be_visible()
    expect(page.locator("[name=ramp-0-at_1]")).to_have_value("09:00:00")
    expect(page.get_by_text("Europe/London, UTC+1 then")).to_be_visible()


def test_rows_are_added_with_the_keyboard_and_show_their_shares(sign_in):
    page = flag_page(sign_in)
    page.locator("summary", has_text="Variants").click()
    page.locator("[name=variants-0-name]").fill("blue")
    page.locator("[name=variants-1-name]").fill("green")
    page.locator("[name=variants-1-weight]").fill("3")

    page.get_by_role("button", name="Add a variant").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("red")

    shares = page.locator("[data-rows=variants] [data-rows-in] [data-share]").all_inner_texts()
    assert shares == ["20 %", "60 %", "20 %"]
    expect(page.locator("[name=variants-2-name]")).to_have_value("red")


def test_whoever_forgot_something_is_led_to_it(sign_in):
    page = flag_page(sign_in)
    # Open already where another test has left a step in it.
    page.locator("details.rows-of", has=page.locator("[name^=ramp-]")).evaluate("ramp => { ramp.open = true }")
    date = page.locator("[name^=ramp-][name$=-at_0]").last
    page.locator("[name^=ramp-][name$=-at_1]").last.fill("09:00")
    page.locator("[name^=ramp-][name$=-percentage]").last.fill("12.5")
    page.get_by_label("Reason for the change").fill("More of them")

    page.get_by_role("button", name="Preview").click()

    expect(
        page.get_by_text(re.compile(r"Row \d of the ramp: Enter the date as well: only a time was given\."))
    ).to_be_visible()
    expect(date).to_be_focused()


def test_a_prerequisite_is_found_among_many(open_page):
    keys = ["export", "pricing_old", "pricing_new", *(f"other{number}" for number in range(9))]
    choices = (f'<div><label><input type="checkbox"> {key}</label></div>' for key in keys)
    page = open_page()
    page.set_content(f'<div id="id_needs">{"".join(choices)}</div>')
    page.add_script_tag(path=ROOT / "modules/flags/static/flags/editing.js")
    page.get_by_label("export").check()

    page.get_by_label("Find a flag among the prerequisites").fill("new PRIC")

    expect(page.locator("label:visible")).to_have_text([" export", " pricing_new"])
