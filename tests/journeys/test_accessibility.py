"""No page has a serious accessibility finding, in light and in dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

PUBLIC = ["/sign-in/", "/signed-out/", "/claim/nothing/"]
ANALYST = [
    "/o/lumen-cinemas/",
    "/o/lumen-cinemas/access/market_edge_core/",
    "/o/lumen-cinemas/market-edge-core/",
    "/o/lumen-cinemas/market-edge-core/load/",
    "/organisations/",
    "/o/nobody/",
    "/kept-form/nothing/",
]
SUPERUSER = [
    "/organisations/",
    "/o/harbour-hotels/",
    "/admin/",
    "/admin/tenants/organisation/",
    "/admin/tenants/organisation/1/change/",
    "/admin/tenants/membership/add/",
    "/admin/tenants/auditevent/",
    "/admin/accounts/user/",
    "/admin/accounts/user/1/change/",
    "/admin/accounts/invitation/add/",
    "/admin/accounts/clienttoken/",
    "/admin/accounts/clienttoken/add/",
    "/admin/modules/analyticsmodule/",
    "/admin/modules/entitlement/add/",
    "/admin/modules/analyticsmodule/explain-access/",
    "/admin/flags/flag/",
    "/admin/flags/flag/?state=killed",
    "/admin/flags/flag/kill-switch/",
    "/admin/flags/flag/1/kill-switch/",
    "/admin/flags/flag/due/",
    "/admin/flags/flag/1/change/",
    "/admin/flags/flag/1/use/",
    "/admin/flags/flagoverride/",
    "/admin/flags/flagoverride/add/",
    "/admin/flags/flag/why/",
    "/admin/flags/flag/why/?person=ben&flag=sector_specific_insights",
    "/admin/flags/flag/why/?person=e",
    "/admin/flags/flag/why/?flag=sector_specific_insights",
    "/admin/flags/flag/why/?organisation=lumen-cinemas",
    "/admin/flags/flag/history/",
    "/admin/flags/flag/history/compare/?first=1&second=2",
    "/admin/flags/flag/history/1/",
    "/admin/flags/flag/history/1/revert/",
]
SERIOUS = {"serious", "critical"}
# In the dark, colours alone are others.
RULES = {"light": {}, "dark": {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}}


def findings(page: Page, paths: list[str], faults: list[str], scheme: str) -> list[str]:
    found = []
    for path in paths:
        page.goto(path)
        own = len(faults)
        violations = Axe().run(page, options=RULES[scheme]).response["violations"]
        # What the check itself tried on the page, against the page's policy, is not the page's fault.
        del faults[own:]
        for violation in violations:
            if violation["impact"] in SERIOUS:
                places = [node["html"][:120] for node in violation["nodes"][:3]]
                found.append(f"{path}: {violation['id']} {places}")
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_public_pages(open_page, faults, scheme):
    assert findings(open_page(color_scheme=scheme), PUBLIC, faults, scheme) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_an_analyst(sign_in, faults, scheme):
    page = sign_in("Ben Castellan", color_scheme=scheme)
    page.goto("/o/lumen-cinemas/market-edge-core/")
    market = page.locator("main table a").first.get_attribute("href")

    assert findings(page, [*ANALYST, market], faults, scheme) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_a_superuser(sign_in, faults, scheme):
    assert findings(sign_in("Sana Whitlock", color_scheme=scheme), SUPERUSER, faults, scheme) == []


def test_the_product_can_be_used_with_the_keyboard_alone(sign_in):
    page = sign_in("Ben Castellan")

    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.textContent.trim()")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/market-edge-core/**")

    assert first == "Skip to the content"
