"""Loading a file: exactly the one that was looked at, all of it or nothing, with one audit event."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError
from django.utils import timezone

from modules.market_edge_core import actions, on_record, preview
from modules.market_edge_core.actions import LoadRefused, apply_upload
from modules.market_edge_core.models import Competitor, Market, PriceObservation, PriceUpload
from tenants import scope
from tenants.models import AuditEvent
from tests.factories import make_organisation, make_user
from tests.modules.market_edge_core.factories import ROW, csv_of, make_competitor, make_market, make_prices, make_upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours():
    """An organisation whose scope is entered."""
    organisation = make_organisation()
    with scope.organisation(organisation.pk):
        yield organisation


def load(organisation, *rows: str) -> PriceUpload:
    upload = make_upload(organisation, csv_of(*rows))
    return apply_upload(upload, sha256=upload.sha256, by=None)


def sizes() -> tuple[int, int, int]:
    return Market.objects.count(), Competitor.objects.count(), PriceObservation.objects.count()


def refusal_of(upload: PriceUpload, sha256: str = "") -> str:
    with pytest.raises(LoadRefused) as refused:
        apply_upload(upload, sha256=sha256 or upload.sha256, by=None)
    return str(refused.value)


def test_loading_a_file_saves_markets_competitors_and_prices(ours):
    load(ours, ROW, ROW.replace("Rival", "Other"), ROW.replace("City centre", "Harbour"))

    assert sizes() == (2, 3, 3)


def test_a_price_is_saved_as_the_file_says_it(ours):
    load(ours, 'City centre,Rival,Ticket,9.99,EUR,2026-01-05T09:30Z,Phone,yes,"Two for one"')

    saved = PriceObservation.objects.values("price", "currency", "source", "is_promotion", "promotion_details").get()
    assert saved == {
        "price": Decimal("9.99"),
        "currency": "EUR",
        "source": "Phone",
        "is_promotion": True,
        "promotion_details": "Two for one",
    }


def test_the_same_file_twice_changes_nothing_and_says_so(ours):
    load(ours, ROW)
    before = PriceObservation.objects.values().get()

    counts = load(ours, ROW).counts

    assert (counts["unchanged"], counts["new"], counts["corrected"]) == (1, 0, 0)
    assert PriceObservation.objects.values().get() == before


def test_a_corrected_price_replaces_the_old_one(ours):
    load(ours, ROW)

    load(ours, ROW.replace("12.50", "11.00"))

    assert PriceObservation.objects.get().price == Decimal("11.00")


def test_a_load_is_one_event_with_the_files_hash_and_counts(ours):
    analyst = make_user()
    upload = make_upload(ours, name="january.csv")

    apply_upload(upload, sha256=upload.sha256, by=analyst)

    event = AuditEvent.objects.get(kind="event")
    assert (event.action, event.actor, event.organisation) == ("prices.loaded", analyst, ours)
    assert (event.data["file"], event.data["sha256"]) == ("january.csv", upload.sha256)
    assert event.data["counts"]["new"] == 1


def test_new_markets_and_competitors_are_details_of_that_event_and_prices_are_not(ours):
    load(ours, ROW)

    event = AuditEvent.objects.get(kind="event")
    tables = set(AuditEvent.objects.filter(event_id=event.pk).values_list("target_table", flat=True))
    assert tables == {"market_edge_core_market", "market_edge_core_competitor"}


def test_another_hash_than_the_files_loads_nothing(ours):
    upload = make_upload(ours)

    assert refusal_of(upload, sha256="0" * 64) == "The file is not the one that was previewed. Upload it again."
    assert sizes() == (0, 0, 0)


def test_a_file_that_was_exchanged_after_the_preview_is_not_loaded(ours):
    upload = make_upload(ours)
    PriceUpload.objects.filter(pk=upload.pk).update(content=csv_of(ROW.replace("12.50", "0.01")))

    assert refusal_of(upload) == "The file is not the one that was previewed. Upload it again."


def test_a_preview_that_expired_is_not_loaded(ours):
    now = timezone.now()
    upload = make_upload(ours, created_at=now - timedelta(hours=2), expires_at=now - timedelta(seconds=1))

    assert refusal_of(upload) == "The preview is too old. Upload the file again."


def test_a_file_is_loaded_once(ours):
    upload = make_upload(ours)
    apply_upload(upload, sha256=upload.sha256, by=None)

    assert refusal_of(upload) == "This file has already been loaded."


def test_a_discarded_preview_is_not_loaded(ours):
    upload = make_upload(ours)
    actions.discard_upload(upload)

    assert refusal_of(upload) == "This preview was discarded. Upload the file again."


def test_a_file_with_a_bad_row_is_not_loaded(ours):
    upload = make_upload(ours, csv_of(ROW, ROW.replace("12.50", "cheap")))

    assert "rows that cannot be loaded" in refusal_of(upload)
    assert sizes() == (0, 0, 0)


def test_what_became_contradictory_since_the_preview_is_decided_at_the_load(ours):
    upload = make_upload(ours)
    make_prices(make_competitor(make_market(ours, "city centre"), "RIVAL"), "1.00")

    counts = apply_upload(upload, sha256=upload.sha256, by=None).counts

    assert (counts["corrected"], counts["new"], sizes()) == (1, 0, (1, 1, 1))


def test_a_load_that_fails_half_way_leaves_nothing(ours, monkeypatch):
    upload = make_upload(ours)

    def fail(*args, **options):
        raise DatabaseError

    monkeypatch.setattr(PriceUpload, "save", fail)

    with pytest.raises(DatabaseError):
        apply_upload(upload, sha256=upload.sha256, by=None)

    assert (sizes(), AuditEvent.objects.filter(kind="event").count()) == ((0, 0, 0), 0)


def test_a_loaded_file_is_kept_without_its_content(ours):
    load(ours, ROW)

    assert bytes(PriceUpload.objects.get().content) == b""


def test_a_loaded_file_cannot_be_discarded(ours):
    upload = load(ours, ROW)

    actions.discard_upload(upload)

    assert PriceUpload.objects.count() == 1


def test_the_next_upload_deletes_previews_that_expired(ours):
    now = timezone.now()
    make_upload(ours, name="old.csv", created_at=now - timedelta(hours=3), expires_at=now - timedelta(hours=1))
    make_upload(ours, name="waiting.csv")

    actions.keep_upload(ours, name="new.csv", content=csv_of(ROW), by=None)

    assert set(PriceUpload.objects.values_list("name", flat=True)) == {"waiting.csv", "new.csv"}


def test_the_database_decides_which_names_are_the_same(ours):
    names = ["İzmir", "izmir", "i̇zmir", "STRASSE", "straße", "ΣΊΣΥΦΟΣ", "σίσυφος", "σίσυφοσ"]

    load(ours, *(ROW.replace("City centre", name) for name in names))

    assert Market.objects.count() == len(set(on_record.fold(names).values()))


def test_more_rows_than_one_batch_are_saved(ours, monkeypatch):
    monkeypatch.setattr(preview, "BATCH", 2)

    load(ours, *(ROW.replace("01-05", f"02-0{day}") for day in range(1, 6)))

    assert sizes() == (1, 1, 5)


def test_a_market_is_created_with_an_event(ours):
    actions.create_market(Market(organisation=ours, name="Harbour"), by=None)

    assert AuditEvent.objects.get(kind="event").action == "market.created"
