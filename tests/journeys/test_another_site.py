"""Another site, in the browser of somebody who is signed in: it reads nothing, frames nothing and changes nothing."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page

ME = "/api/v1/auth/me"
READ = """async ([address, options]) => {
    try {
        const answer = await fetch(address, options);
        return answer.type + ":" + await answer.text();
    } catch (refused) {
        return "refused";
    }
}"""
POST_BY_FORM = """(address) => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = address;
    document.body.append(form);
    form.submit();
}"""
FRAME = """(address) => {
    const frame = document.createElement("iframe");
    frame.src = address;
    document.body.append(frame);
}"""


class EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!DOCTYPE html><title>Another site</title>")

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def another_site() -> Iterator[str]:
    """To browsers, localhost is another site than 127.0.0.1."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def ben(sign_in) -> Page:
    return sign_in("Ben Castellan")


@pytest.fixture
def theirs(ben: Page, another_site: str) -> Page:
    """A page of the other site in Ben's browser."""
    page = ben.context.new_page()
    page.goto(another_site)
    return page


def is_signed_in(ben: Page) -> bool:
    ben.goto("/o/lumen-cinemas/")
    return ben.url.endswith("/o/lumen-cinemas/")


def test_our_own_page_reads_who_is_here(ben):
    assert "ben@lumen-cinemas.example" in ben.evaluate(READ, [ME, {}])


@pytest.mark.parametrize("path", [ME, "/o/lumen-cinemas/", "/api/v1/organisations/lumen-cinemas/me"])
def test_another_site_reads_nothing(product, theirs, path):
    assert theirs.evaluate(READ, [product.url + path, {"credentials": "include"}]) == "refused"
    assert theirs.evaluate(READ, [product.url + path, {"credentials": "include", "mode": "no-cors"}]) in {
        "opaque:",
        "refused",
    }


def test_another_site_cannot_send_a_token_or_ask_for_an_organisation(product, theirs):
    asked = {"headers": {"Authorization": "Bearer x", "X-Organization-ID": "lumen-cinemas"}}

    assert theirs.evaluate(READ, [product.url + ME, asked]) == "refused"


def test_another_site_frames_nothing(product, theirs):
    theirs.evaluate(FRAME, product.url + "/sign-in/")
    theirs.wait_for_timeout(500)

    assert [frame.url for frame in theirs.frames if frame.url.startswith(product.url)] == []


def test_another_site_posts_nothing(product, ben, theirs):
    theirs.evaluate(READ, [product.url + "/sign-out/", {"method": "POST", "credentials": "include", "mode": "no-cors"}])
    with theirs.expect_navigation() as navigation:
        theirs.evaluate(POST_BY_FORM, product.url + "/sign-out/")

    assert navigation.value.status == 403
    assert is_signed_in(ben)


def test_an_address_on_another_site_signs_nobody_out(product, ben, theirs):
    theirs.evaluate(READ, [product.url + "/sign-out/", {"credentials": "include", "mode": "no-cors"}])
    for path in ("/oidc/callback/?error=access_denied&state=x", "/oidc/callback/?code=x&state=y"):
        theirs.goto(product.url + path)

    assert is_signed_in(ben)
