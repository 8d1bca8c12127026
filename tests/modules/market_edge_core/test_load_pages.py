"""Loading a price file in the pages: choose, look, confirm."""

import hashlib
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from modules.market_edge_core import price_file, views
from modules.market_edge_core.models import PriceObservation, PriceUpload
from tenants import scope
from tenants.models import AuditEvent, Role
from tests.factories import make_member, make_organisation, offer_market_edge_core
from tests.modules.market_edge_core.factories import ROW, csv_of, make_upload

pytestmark = pytest.mark.django_db
PAGES_OF_A_FILE = ("preview", "problems", "apply", "discard", "result")
POSTED = ("apply", "discard")


@pytest.fixture
def ours():
    offer_market_edge_core()
    return make_organisation("Ours")


@pytest.fixture
def analyst(client, ours):
    client.force_login(make_member(ours, Role.ANALYST))
    return client


def url(organisation, view: str, upload: PriceUpload | None = None) -> str:
    kwargs = {"organisation_slug": organisation.slug} | ({"public_id": upload.public_id} if upload else {})
    return reverse(f"market_edge_core:{view}", kwargs=kwargs)


def send(client, organisation, content: bytes, name: str = "prices.csv"):
    return client.post(url(organisation, "load"), {"file": SimpleUploadedFile(name, content)})


def confirm(client, organisation, upload: PriceUpload, sha256: str = ""):
    return client.post(url(organisation, "apply", upload), {"sha256": sha256 or upload.sha256}, follow=True)


def uploads(organisation) -> list[PriceUpload]:
    with scope.organisation(organisation.pk):
        return list(organisation.priceuploads.order_by("pk"))


def prices(organisation) -> int:
    with scope.organisation(organisation.pk):
        return PriceObservation.objects.count()


def ask(client, organisation, view: str, upload: PriceUpload | None = None) -> int:
    method = client.post if view in POSTED else client.get
    return method(url(organisation, view, upload)).status_code


def test_a_file_is_kept_and_previewed(analyst, ours):
    response = send(analyst, ours, csv_of(ROW))

    (upload,) = uploads(ours)
    assert response.headers["Location"] == url(ours, "preview", upload)
    assert (upload.name, bytes(upload.content), prices(ours)) == ("prices.csv", csv_of(ROW), 0)


def test_the_template_loads_unchanged(analyst, ours):
    template = analyst.get(url(ours, "template")).content
    send(analyst, ours, template)

    confirm(analyst, ours, uploads(ours)[0])

    assert prices(ours) == 2


def test_the_preview_says_what_the_file_would_change(analyst, ours):
    page = analyst.get(url(ours, "preview", make_upload(ours, csv_of(ROW, ROW)))).content.decode()

    tiles = dict(re.findall(r"<dt>([^<]+)</dt>\s*<dd>([^<]+)</dd>", page))
    assert tiles == {
        "Rows in the file": "2",
        "New prices": "1",
        "Corrected": "0",
        "Unchanged": "0",
        "Repeated": "1",
        "New markets": "1",
        "New competitors": "1",
    }


def test_the_preview_loads_nothing(analyst, ours):
    analyst.get(url(ours, "preview", make_upload(ours)))

    assert prices(ours) == 0


def test_the_form_of_the_preview_confirms_the_file_that_was_shown(analyst, ours):
    upload = make_upload(ours)

    page = analyst.get(url(ours, "preview", upload)).content.decode()

    assert re.findall(r'name="sha256" value="(\w+)"', page) == [hashlib.sha256(csv_of(ROW)).hexdigest()]


def test_every_bad_row_is_listed_and_the_file_cannot_be_confirmed(analyst, ours):
    upload = make_upload(ours, csv_of(ROW.replace("12.50", "cheap"), ROW, ROW.replace("GBP", "£")))

    page = analyst.get(url(ours, "preview", upload)).content.decode()

    rows = re.findall(r'<th scope="row">(\d+)</th>\s*<td>([^<]+)</td>\s*<td class="value">([^<]+)</td>', page)
    assert rows == [("2", "price", "cheap"), ("4", "currency", "£")]
    assert 'name="sha256"' not in page


def test_a_long_list_of_problems_has_pages(analyst, ours, monkeypatch):
    monkeypatch.setattr(views, "PROBLEMS_ON_A_PAGE", 2)
    upload = make_upload(ours, csv_of(*[ROW.replace("12.50", "x")] * 3))

    response = analyst.get(url(ours, "preview", upload), {"page": 2})

    assert [problem.line for problem in response.context["page_obj"]] == [4]


def test_all_problems_can_be_taken_away(analyst, ours):
    upload = make_upload(ours, csv_of(*[ROW.replace("12.50", "x")] * 300))

    response = analyst.get(url(ours, "problems", upload))

    assert len(response.content.decode().splitlines()) == 301
    assert response.headers["Content-Disposition"] == 'attachment; filename="problems.csv"'


def test_confirming_loads_the_file_and_shows_the_result(analyst, ours):
    response = confirm(analyst, ours, make_upload(ours))

    assert (prices(ours), "The file is loaded." in response.content.decode()) == (1, True)


def test_the_same_file_again_says_that_it_would_change_nothing(analyst, ours):
    confirm(analyst, ours, make_upload(ours))

    page = analyst.get(url(ours, "preview", make_upload(ours))).content.decode()

    assert "loading it would change nothing" in page


def test_the_same_file_confirmed_again_says_that_it_changed_nothing(analyst, ours):
    confirm(analyst, ours, make_upload(ours))

    response = confirm(analyst, ours, make_upload(ours))

    assert (prices(ours), "the load changed nothing" in response.content.decode()) == (1, True)


@pytest.mark.parametrize("sha256", ["0" * 64, "x", "\x00"])
def test_a_forged_confirmation_loads_nothing_and_is_written_down(analyst, ours, sha256):
    response = confirm(analyst, ours, make_upload(ours), sha256=sha256)

    assert (prices(ours), "not the one that was previewed" in response.content.decode()) == (0, True)
    with scope.organisation(ours.pk):
        assert AuditEvent.objects.filter(action="prices.load_refused").count() == 1


def test_confirming_twice_shows_the_first_result(analyst, ours):
    upload = make_upload(ours)
    confirm(analyst, ours, upload)

    response = confirm(analyst, ours, upload)

    assert response.redirect_chain[-1][0] == url(ours, "result", upload)


def test_a_preview_that_expired_says_so(analyst, ours):
    now = timezone.now()
    upload = make_upload(ours, created_at=now - timedelta(hours=3), expires_at=now - timedelta(hours=1))

    answers = [ask(analyst, ours, view, upload) for view in ("preview", "problems")]

    assert (answers, confirm(analyst, ours, upload).status_code, prices(ours)) == ([410, 404], 410, 0)


def test_a_discarded_preview_is_gone(analyst, ours):
    upload = make_upload(ours)

    analyst.post(url(ours, "discard", upload))

    assert (uploads(ours), ask(analyst, ours, "preview", upload)) == ([], 404)


def test_earlier_loads_are_listed(analyst, ours):
    confirm(analyst, ours, make_upload(ours, name="january.csv"))

    assert "january.csv" in analyst.get(url(ours, "load")).content.decode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 workbook", "not a CSV file"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "NUL characters"),
        (csv_of(ROW).decode().encode("utf-16-le"), "NUL characters"),
        (b"name,age\nx,1\n", "must name the columns"),
        (b"market,competitor\nx,y\n", "missing: product, price, currency, collected_at"),
        (b"x" * (50 * 1024 * 1024), "larger than 10 MB"),
    ],
    ids=["empty", "workbook", "picture", "UTF-16 without a mark", "other columns", "missing columns", "50 MB"],
)
def test_what_is_no_price_file_is_refused_with_the_reason(analyst, ours, content, words):
    response = send(analyst, ours, content)

    assert (response.status_code, uploads(ours)) == (200, [])
    assert words in " ".join(response.context["form"].errors["file"])


def test_no_file_at_all_is_refused(analyst, ours):
    assert analyst.post(url(ours, "load")).context["form"].errors["file"] == ["This field is required."]


def test_a_file_name_cannot_hurt(analyst, ours):
    send(analyst, ours, csv_of(ROW), name="../<b>\x00" + "x" * 300 + ".csv")

    (upload,) = uploads(ours)
    assert ("/" in upload.name, "\x00" in upload.name, len(upload.name) <= 255) == (False, False, True)
    assert "<b>" not in analyst.get(url(ours, "preview", upload)).content.decode()


@pytest.mark.parametrize("view", ["load", "template"])
def test_a_viewer_may_not_open_the_pages_for_loading(client, ours, view):
    client.force_login(make_member(ours, Role.VIEWER))

    assert ask(client, ours, view) == 403


@pytest.mark.parametrize("view", PAGES_OF_A_FILE)
def test_a_viewer_may_do_nothing_with_a_file(client, ours, view):
    client.force_login(make_member(ours, Role.VIEWER))
    upload = make_upload(ours)

    assert (ask(client, ours, view, upload), uploads(ours), prices(ours)) == (403, [upload], 0)


def test_a_viewer_may_not_send_a_file(client, ours):
    client.force_login(make_member(ours, Role.VIEWER))

    assert (send(client, ours, csv_of(ROW)).status_code, uploads(ours)) == (403, [])


@pytest.mark.parametrize("view", PAGES_OF_A_FILE)
def test_another_organisations_file_does_not_exist_here(analyst, ours, view):
    theirs = make_organisation("Theirs")
    upload = make_upload(theirs)

    assert (ask(analyst, ours, view, upload), uploads(theirs), prices(theirs)) == (404, [upload], 0)


@pytest.mark.parametrize("view", PAGES_OF_A_FILE)
def test_a_stranger_finds_no_page_of_a_file(client, ours, view):
    client.force_login(make_member(make_organisation("Theirs"), Role.ADMIN))
    upload = make_upload(ours)

    assert (ask(client, ours, view, upload), uploads(ours), prices(ours)) == (404, [upload], 0)


@pytest.mark.parametrize("view", POSTED)
def test_following_a_link_changes_nothing(analyst, ours, view):
    assert analyst.get(url(ours, view, make_upload(ours))).status_code == 405


@pytest.mark.parametrize("view", POSTED)
def test_another_site_cannot_confirm_or_discard(ours, view, client):
    client.handler.enforce_csrf_checks = True
    client.force_login(make_member(ours, Role.ANALYST))
    upload = make_upload(ours)

    assert (ask(client, ours, view, upload), uploads(ours), prices(ours)) == (403, [upload], 0)


def test_the_limits_on_the_page_are_the_real_ones(analyst, ours):
    page = analyst.get(url(ours, "load")).content.decode()

    assert "10 MB" in page
    assert "100,000 rows" in " ".join(page.split())
    for column in (*price_file.REQUIRED, *price_file.OPTIONAL):
        assert f'<th scope="row">{column}</th>' in page
