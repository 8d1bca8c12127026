"""Something is wrong: a superuser kills a flag from wherever they are, and everybody is without it at once."""

from tests.journeys.waiting import until_it_answers

MARKETS = "/o/harbour-hotels/market-edge-core/"


def throw(page, button: str) -> str:
    """Two clicks from any page of the admin site; what it says afterwards."""
    page.goto("/admin/tenants/organisation/")
    page.get_by_role("link", name="Kill a flag…").click()
    row = page.get_by_role("row", name="market_edge_v2")
    row.get_by_role("textbox").fill("journey")
    row.get_by_role("button", name=button).click()
    return page.locator(".messagelist").inner_text()


def test_a_superuser_kills_a_flag_with_two_clicks_and_restores_it(sign_in):
    analyst, superuser = sign_in("Esme Okonjo"), sign_in("Sana Whitlock", java_script_enabled=False)
    before = analyst.goto(MARKETS).status

    said = throw(superuser, "Kill")
    until_it_answers(analyst, MARKETS, 403)
    throw(superuser, "Restore")
    until_it_answers(analyst, MARKETS, 200)

    assert before == 200
    assert "Killed: market_edge_v2" in said
    assert "holds: here after" in said
