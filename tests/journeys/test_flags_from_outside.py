"""OpenFeature in a browser, on a page of another origin: it reads our flags by code that others wrote."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response

from tests.journeys.test_another_site import another_site  # noqa: F401 (a fixture)
from tests.migrations.conftest import migrated  # noqa: F401 (a fixture)
from tests.migrations.databases import Database
from tests.modules.flags.ofrep.serving import Outside, serving

OPENFEATURE = Path(__file__).parent / "vendored" / "openfeature.js"
CONNECT = """async ([baseUrl, token, targetingKey]) => {
    const { OpenFeature, OFREPWebProvider } = outside;
    const headers = [["Authorization", `Bearer ${token}`]];
    const provider = new OFREPWebProvider({ baseUrl, headers, pollInterval: 250, cacheMode: "disabled" });
    try {
        await OpenFeature.setProviderAndWait(provider, { targetingKey });
        return "connected";
    } catch (refused) {
        return String(refused);
    }
}"""
READ = """(defaults) => {
    const client = outside.OpenFeature.getClient();
    const kinds = { boolean: "getBooleanDetails", string: "getStringDetails", number: "getNumberDetails",
                    object: "getObjectDetails" };
    return Object.fromEntries(Object.entries(defaults).map(([key, value]) => {
        const told = client[kinds[typeof value]](key, value);
        return [key, told.errorCode || [told.value, told.reason, told.variant]];
    }));
}"""
BECOME = "(targetingKey) => outside.OpenFeature.setContext({ targetingKey })"
IS_OFF = "() => outside.OpenFeature.getClient().getBooleanValue('on', true) === false"
DEFAULTS = {"on": False, "off": True, "colour": "", "limit": 0, "ratio": 0, "layout": {}, "bens": False, "iris": False}


@pytest.fixture
def theirs(another_site: str, migrated: Database, browser: Browser) -> Iterator[tuple[Page, Outside]]:  # noqa: F811
    """A page of the listed origin, and the product."""
    with ExitStack() as ends:
        outside = ends.enter_context(serving(migrated, another_site.rstrip("/")))
        context = browser.new_context()
        ends.callback(context.close)
        yield _open(context.new_page(), another_site), outside


def _open(page: Page, address: str) -> Page:
    page.goto(address)
    page.add_script_tag(path=OPENFEATURE)
    return page


def test_a_page_elsewhere_reads_its_flags_and_sees_them_change(theirs):
    page, outside = theirs
    statuses: list[int] = []
    page.on("response", lambda response: _note(statuses, response))

    assert page.evaluate(CONNECT, [outside.url, outside.token, "somebody"]) == "connected"
    first = page.evaluate(READ, DEFAULTS)
    page.wait_for_event("response", lambda response: response.status == 304, timeout=5_000)
    unchanged = list(statuses)
    page.evaluate(BECOME, outside.ben)
    as_ben = page.evaluate(READ, {"bens": False, "iris": False})
    outside.kill("on")
    page.wait_for_function(IS_OFF, timeout=5_000)

    assert first == {
        "on": [True, "SPLIT", "on"],
        "off": [False, "DISABLED", "off"],
        "colour": ["#f00", "SPLIT", "red"],
        "limit": [30, "SPLIT", "high"],
        "ratio": [2, "SPLIT", "whole"],
        "layout": [{"columns": 3, "names": ["a", "b"]}, "SPLIT", "wide"],
        "bens": [False, "DISABLED", "off"],
        "iris": [False, "DISABLED", "off"],
    }
    assert (unchanged[0], set(unchanged[1:])) == (200, {304})
    assert as_ben == {"bens": [True, "TARGETING_MATCH", "on"], "iris": [False, "DISABLED", "off"]}
    assert page.evaluate(READ, {"hidden": True, "unheard.of": True, "colour": False}) == {
        "hidden": "FLAG_NOT_FOUND",
        "unheard.of": "FLAG_NOT_FOUND",
        "colour": "TYPE_MISMATCH",
    }
    assert page.evaluate(CONNECT, [outside.url, "mec_none", "somebody"]).startswith("ProviderFatalError")
    unlisted = _open(page, page.url.replace("localhost", "127.0.0.1"))
    assert unlisted.evaluate(CONNECT, [outside.url, outside.token, "somebody"]).endswith("The OFREP request failed.")


def _note(statuses: list[int], response: Response) -> None:
    if response.request.method == "POST":
        statuses.append(response.status)
