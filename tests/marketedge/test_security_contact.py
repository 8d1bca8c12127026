"""Who has found a weakness reads whom to tell, in the form of RFC 9116."""

from datetime import UTC, datetime, timedelta

import pytest

from marketedge.security_contact import contact_uri, expires

PATH = "/.well-known/security.txt"


def fields_of(answer):
    return dict(line.split(": ", 1) for line in answer.content.decode().splitlines())


def test_the_file_says_whom_to_tell_in_which_language_and_where_it_belongs(client):
    answer = client.get(PATH)

    fields = fields_of(answer)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert {name: value for name, value in fields.items() if name != "Expires"} == {
        "Contact": "mailto:support@zebra-associates.example",
        "Preferred-Languages": "en",
        "Canonical": "https://marketedge.example/.well-known/security.txt",
    }


def test_the_file_always_expires_in_the_future_and_within_a_year(client):
    expiry = datetime.fromisoformat(fields_of(client.get(PATH))["Expires"])

    assert timedelta(days=30) < expiry - datetime.now(UTC) < timedelta(days=365)


@pytest.mark.parametrize("now", [datetime(2026, 11, 25, tzinfo=UTC), datetime(2028, 2, 29, 23, 59, tzinfo=UTC)])
def test_the_expiry_is_a_time_of_the_internet(now):
    assert datetime.strptime(expires(now), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) > now


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("security@zebra.example", "mailto:security@zebra.example"),
        ("mailto:security@zebra.example", "mailto:security@zebra.example"),
        ("https://zebra.example/report", "https://zebra.example/report"),
        ("tel:+44-20-7946-0000", "tel:+44-20-7946-0000"),
        ("http://zebra.example/report", ""),
        ("The help desk", ""),
        ("a@b.example\nContact: evil@example.com", ""),
        ("", ""),
    ],
)
def test_a_contact_is_a_uri_or_nothing(text, uri):
    assert contact_uri(text) == uri


def test_without_a_contact_there_is_no_file(client, settings):
    settings.SECURITY_CONTACT = "The help desk"

    assert client.get(PATH).status_code == 404


def test_the_file_may_be_kept_by_anybody(client):
    assert client.get(PATH).headers["Cache-Control"] == "public, max-age=3600"
