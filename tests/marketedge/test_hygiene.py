"""One encoding for every request, one set of rules for browsers, and nothing private in a cache."""

import pytest

from marketedge.hygiene import Utf8Request
from tests.factories import make_member, make_organisation

pytestmark = pytest.mark.django_db


CODECS = ["hex", "base64", "rot13", "zlib", "idna", "undefined", "unicode_escape", "utf-7", "punycode", "nope"]


@pytest.mark.parametrize("codec", CODECS)
def test_every_request_is_read_as_utf_8_whatever_it_says(rf, codec):
    environ = rf.get("/sign-in/?next=/caf%C3%A9").environ

    request = Utf8Request({**environ, "CONTENT_TYPE": f"text/plain; charset={codec}"})

    assert request.GET["next"] == "/café"


@pytest.mark.parametrize("codec", ["idna", "undefined", "nope"])
def test_a_type_in_a_codec_that_cannot_be_read_is_none(rf, codec):
    said = f"application/x-www-form-urlencoded; boundary*={codec}''%41"

    request = Utf8Request({**rf.post("/sign-out/").environ, "CONTENT_TYPE": said})

    assert (request.content_type, request.content_params) == ("", {})


def test_the_server_reads_requests_so():
    from marketedge import wsgi

    assert vars(wsgi._admitted.beyond)["request_class"] is Utf8Request


def test_private_pages_are_not_kept_by_browsers(client):
    client.force_login(make_member(make_organisation("Lumen")))

    assert client.get("/o/lumen/").headers["Cache-Control"] == "private, no-store"


def test_pages_without_a_session_say_nothing_of_it(client):
    assert client.get("/healthz/live").headers["Cache-Control"] == "no-store"
