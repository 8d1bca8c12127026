"""Times in the admin site: typed and shown in the editor's zone, stored in UTC, never guessed."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from modules.models import Entitlement
from tenants import scope
from tenants.zoned_times import NamedSplitDateTime, ZonedDateTimeField
from tests.factories import make_entitlement, make_module, make_organisation, make_superuser

LONDON = ZoneInfo("Europe/London")
NEW_YORK = "America/New_York"


class Moment(forms.Form):
    at = ZonedDateTimeField(required=False)


def typed(day: str, at: str, zone=LONDON) -> datetime:
    with timezone.override(zone):
        return ZonedDateTimeField().clean([day, at])


@pytest.mark.parametrize(
    ("day", "at", "moment"),
    [
        ("2026-07-01", "09:00", datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("2026-12-01", "09:00", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        ("31/12/2026", "09:00", datetime(2026, 12, 31, 9, tzinfo=UTC)),
        ("2026-12-01", "09:00 +05:30", datetime(2026, 12, 1, 3, 30, tzinfo=UTC)),
        ("2026-12-01", "09:00Z", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        ("2026-10-25", "01:30 +01:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25", "01:30 +0000", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_the_editors_zone_or_with_the_offset_that_was_typed(day, at, moment):
    assert typed(day, at) == moment


@pytest.mark.parametrize(
    ("day", "at", "words"),
    [
        ("2026-03-29", "01:30", r"01:30 does not exist on 29 Mar 2026 in Europe/London.* Did you mean 02:30\?"),
        ("2026-10-25", "01:30", r"comes twice .*“01:30 \+01:00” for the first or “01:30 \+00:00” for the second"),
        ("2026-10-25", "01:30 +99:00", "Enter a valid time"),
        ("2026-10-25", "half past one", "Enter a valid time"),
        ("9999-12-31", "23:30 -12:00", "within the calendar"),
        ("9999-12-31", "00:00 +00:00", "within the calendar"),
        ("0001-01-01", "23:59 +00:00", "within the calendar"),
    ],
)
def test_what_is_no_single_moment_is_refused_with_what_to_type_instead(day, at, words):
    with pytest.raises(ValidationError, match=words):
        typed(day, at)


@pytest.mark.parametrize(("day", "moment"), [("2026-07-01", (6, 30, 23)), ("01/12/2026", (12, 1, 0))])
def test_a_date_alone_is_its_beginning_in_the_editors_zone(day, moment):
    at = typed(day, "")

    assert (at.month, at.day, at.hour) == moment


@pytest.mark.parametrize(
    ("zone", "day", "words"),
    [
        ("Africa/Cairo", "2026-04-24", r"00:00 does not exist on 24 Apr 2026 in Africa/Cairo.* Did you mean 01:00\?"),
        ("America/Havana", "2026-11-01", r"00:00 comes twice on 01 Nov 2026 .*“00:00 -04:00” for the first"),
    ],
)
def test_a_date_alone_whose_beginning_is_no_single_moment_is_refused_likewise(zone, day, words):
    with pytest.raises(ValidationError, match=words):
        typed(day, "", zone=ZoneInfo(zone))


def test_a_time_alone_is_refused_with_what_is_missing():
    with pytest.raises(ValidationError, match="Enter the date as well: only a time was given"):
        typed("", "09:00")


def test_how_a_date_is_typed_stands_below_the_field_as_the_field_shows_it():
    field = ZonedDateTimeField(help_text="Empty: never.")
    shown = str(Moment(initial={"at": datetime(2026, 12, 31, tzinfo=UTC)})["at"])

    assert field.help_text == ("Empty: never. A date such as 31/12/2026 or 2026-12-31; without a time it means 00:00.")
    assert 'value="31/12/2026"' in shown


@pytest.mark.parametrize("zone", ["Etc/GMT+12", "Pacific/Kiritimati"])
@pytest.mark.parametrize(("day", "at"), [("0001-01-02", "00:00 +00:00"), ("9999-12-30", "23:59 +00:00")])
def test_what_is_taken_can_be_shown_in_every_zone(zone, day, at):
    moment = typed(day, at)

    with timezone.override(zone):
        assert timezone.localtime(moment) == moment


@pytest.mark.parametrize("hour", [0, 1])
def test_a_time_that_comes_twice_is_shown_so_that_saving_it_again_keeps_it(hour):
    stored = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
    with timezone.override(LONDON):
        day, at = NamedSplitDateTime().decompress(stored)
        form = Moment({"at_0": str(day), "at_1": str(at)}, initial={"at": stored})

        assert (form.is_valid(), form.has_changed(), form.cleaned_data["at"]) == (True, False, stored)


def test_the_zone_and_its_offset_at_that_time_stand_beside_the_field():
    with timezone.override(LONDON):
        summer = str(Moment(initial={"at": datetime(2026, 7, 1, tzinfo=UTC)})["at"])
    with timezone.override(ZoneInfo("Asia/Kolkata")):
        kolkata = str(Moment()["at"])
    utc = str(Moment()["at"])

    assert ("Europe/London, UTC+1 then" in summer, 'aria-label="Time, Europe/London"' in summer) == (True, True)
    assert "Asia/Kolkata, UTC+5:30 now" in kolkata
    assert '<span class="zone">UTC</span>' in utc


@pytest.fixture
def superuser(client):
    client.force_login(make_superuser())


def stored() -> Entitlement:
    with scope.platform():
        return Entitlement.objects.get()


def form_of(**changes) -> dict[str, str]:
    return {"starts_at_0": "2026-07-01", "starts_at_1": "09:00", "configuration": "{}", "reason": "moved", **changes}


@pytest.fixture
def page(client, superuser) -> str:
    july = datetime(2026, 7, 1, 12, tzinfo=UTC)
    entitlement = make_entitlement(make_organisation(), make_module(), starts_at=july)
    return f"/admin/modules/entitlement/{entitlement.pk}/change/"


@pytest.mark.django_db
def test_a_form_is_shown_in_the_browsers_zone_and_carries_it(client, page):
    client.cookies["editors_zone"] = NEW_YORK

    shown = client.get(page).content.decode()

    assert f'<input type="hidden" name="_zone" value="{NEW_YORK}">' in shown
    assert 'value="08:00:00"' in shown


@pytest.mark.django_db
def test_a_form_is_read_in_the_zone_in_which_it_was_shown(client, page):
    client.cookies["editors_zone"] = "Asia/Tokyo"

    client.post(page, form_of(_zone=NEW_YORK))

    assert stored().starts_at == datetime(2026, 7, 1, 13, tzinfo=UTC)


@pytest.mark.django_db
def test_a_form_without_a_zone_was_shown_in_utc(client, page):
    client.cookies["editors_zone"] = "Asia/Tokyo"

    client.post(page, form_of())

    assert stored().starts_at == datetime(2026, 7, 1, 9, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["Nowhere/Land", "../../etc/passwd", "\x00", "", "a" * 300, "Europe"])
def test_an_unknown_zone_shows_utc_and_is_never_read_as_another(client, page, name):
    client.cookies["editors_zone"] = name.replace("\x00", "")

    shown = client.get(page).content.decode()
    answer = client.post(page, form_of(_zone=name))

    assert '<input type="hidden" name="_zone" value="UTC">' in shown
    assert (answer.status_code, stored().starts_at.hour) == (400, 12)


@pytest.mark.django_db
def test_an_entitlement_at_a_time_that_does_not_exist_is_a_clear_error(client, page):
    form = form_of(starts_at_0="2026-03-29", starts_at_1="01:30", _zone="Europe/London")

    shown = client.post(page, form).content.decode()

    assert "does not exist on 29 Mar 2026 in Europe/London" in shown
    assert 'value="01:30"' in shown
