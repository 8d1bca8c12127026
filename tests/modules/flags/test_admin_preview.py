"""Between a form and its release: what changes, for whom, and nothing is published or lost on the way."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from modules.flags import actions, releases
from modules.flags.admin import preview
from modules.flags.document import Malformed
from modules.flags.models import Flag, FlagOverride, FlagRelease
from tenants import scope
from tenants.models import AuditEvent
from tests.factories import make_flag, make_member, make_organisation, make_override, make_superuser, make_user
from tests.modules.flags.publishing import FORM, newest, page_of, publish

pytestmark = pytest.mark.django_db
ADD = "/admin/flags/flag/add/"


@pytest.fixture(autouse=True)
def superuser(client):
    user = make_superuser(email="super@example.com")
    client.force_login(user)
    return user


def address(flag: Flag) -> str:
    return f"/admin/flags/flag/{flag.pk}/change/"


def form_of(flag: Flag, **changes) -> dict:
    same = {"name": flag.name, "percentage": "100", "bucket_by": "organisation", "is_enabled": "on", "reason": "less"}
    return {**same, "opened": newest(), **changes}


def events() -> list[str]:
    with scope.login():
        return list(AuditEvent.objects.filter(kind="event").values_list("action", flat=True))


def test_saving_shows_what_changes_and_for_whom_and_publishes_nothing(client):
    flag = make_flag("wanted")
    make_member(make_organisation(name="Lumen", sector="59140"), email="ada@example.com")
    make_organisation(name="Harbour", sector="55100")

    page = page_of(client.post(address(flag), form_of(flag, blocked_sectors="59")))

    assert (
        '<th scope="row">Never for the sectors</th> <td data-label="Now">none</td> <td data-label="Then">59</td>'
        in page
    )
    assert "1 of 2 organisations and 1 of 1 person" in page
    assert "Lumen, ada@example.com" in page
    assert (Flag.objects.get().blocked_sectors, FlagRelease.objects.count(), events()) == ([], 1, [])


def test_publishing_makes_one_release_and_one_line_with_the_reason_of_the_preview(client, superuser):
    flag = make_flag("wanted")

    answer = publish(client, address(flag), form_of(flag, percentage="12.5", reason="fewer, after the preview"))

    release = FlagRelease.objects.get(number=2)
    assert answer.url == address(flag)
    assert (release.number, release.reason, release.author) == (2, "fewer, after the preview", superuser)
    assert (Flag.objects.get().rollout, events()) == (12_500, ["flag.saved"])
    assert "Published as release 2." in page_of(client.get(answer.url))


def test_a_new_flag_is_previewed_too_and_can_be_published_then(client):
    make_organisation()

    page = page_of(client.post(ADD, {**FORM, "percentage": "100", "is_enabled": "on"}))
    before = Flag.objects.count()
    publish(client, ADD, {**FORM, "percentage": "100", "is_enabled": "on"})

    assert "new.flag is added" in page
    assert "1 of 1 organisation" in page
    assert (before, Flag.objects.get().key) == (0, "new.flag")


def test_going_back_shows_everything_that_was_typed(client):
    flag = make_flag("wanted")

    page = page_of(client.post(address(flag), form_of(flag, percentage="33", owner="us", reason="", _edit="yes")))

    assert ('name="percentage" value="33"' in page, 'name="owner" value="us"' in page) == (True, True)
    assert "errornote" not in page


def test_the_preview_carries_the_whole_form(client):
    flag = make_flag("wanted")

    page = page_of(client.post(address(flag), form_of(flag, percentage="33", purpose="a “quoted” <purpose>")))

    assert '<input type="hidden" name="percentage" value="33">' in page
    assert '<input type="hidden" name="purpose" value="a “quoted” &lt;purpose&gt;">' in page
    assert '<input type="hidden" name="_seen" value="1">' in page


def test_what_was_published_meanwhile_is_told_and_previewed_again(client):
    flag = make_flag("wanted")
    other = make_flag("other")
    seen = newest()
    with scope.platform():
        actions.kill_flag(other, by=make_user(email="kim@example.com"), reason="an incident")

    page = page_of(publish(client, address(flag), form_of(flag, percentage="50"), seen=seen))

    assert "release 3 was published meanwhile by kim@example.com: “an incident”" in page
    assert '<input type="hidden" name="_seen" value="3">' in page
    assert Flag.objects.get(key="wanted").rollout == 100_000


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 30])
def test_nothing_is_published_that_nobody_has_seen(client, seen):
    flag = make_flag("wanted")

    page = page_of(client.post(address(flag), form_of(flag, percentage="50", _publish="yes", _seen=seen)))

    assert ("Nothing is published yet." in page, "published meanwhile" in page) == (True, False)
    assert Flag.objects.get().rollout == 100_000


def test_what_only_describes_a_flag_is_published_at_once(client):
    flag = make_flag("wanted")

    page = page_of(client.post(address(flag), form_of(flag, owner="us", kind="ops"), follow=True))

    assert "changes nobody&#x27;s answer. Published as release 2." in page
    assert (Flag.objects.get().owner, Flag.objects.get().kind) == ("us", "ops")


def test_publishing_twice_by_a_double_click_makes_one_release(client):
    flag = make_flag("wanted")
    form, seen = form_of(flag, percentage="50"), newest()

    publish(client, address(flag), form, seen=seen)
    again = publish(client, address(flag), form, seen=seen)

    assert "Nothing was changed, so nothing was published." in page_of(client.get(again.url))
    assert (newest(), events()) == (2, ["flag.saved"])


def test_a_loss_for_everybody_is_a_warning_with_the_flags_that_need_it(client):
    base, top = make_flag("base"), make_flag("top")
    with scope.platform():
        actions.save_flag(top, by=None, reason="a test", fields=[], needs=[base])
    make_organisation()

    page = page_of(client.post(address(base), form_of(base, is_enabled="")))

    assert "Everybody loses it." in page
    assert "top <small>needs a flag that changes</small>" in page


def test_a_flag_that_nobody_has_before_and_after_is_told_of_in_words(client):
    flag = make_flag("wanted", is_enabled=False)
    make_organisation()

    page = page_of(client.post(address(flag), form_of(flag, is_enabled="", percentage="50")))

    assert "<dt>On before → after</dt> <dd> nobody, before and after </dd>" in page
    assert "0 organisations" not in page


def test_the_new_override_of_one_person_is_previewed_for_that_person(client):
    flag = make_flag("wanted")
    person = make_member(make_organisation(), email="ada@example.com")
    form = {"flag": flag.pk, "person": person.pk, "value": "off", "reason": "demo"}

    page = page_of(client.post("/admin/flags/flagoverride/add/", form))

    assert "0 of 1 organisation and 1 of 1 person" in page
    assert "Override for ada@example.com" in page
    assert FlagOverride.objects.count() == 0


def test_a_preview_asks_the_same_number_of_queries_for_one_and_for_three(client):
    counts: list[int] = []
    for number in (1, 3):
        for _ in range(number):
            make_override(make_flag(f"flag{len(counts)}.{_}"), person=make_member(make_organisation()))
        flag = Flag.objects.order_by("pk")[0]
        with CaptureQueriesContext(connection) as queries:
            page_of(client.post(address(flag), form_of(flag, percentage="50")))
        counts.append(len(queries))

    assert counts[0] == counts[1]


@pytest.mark.django_db(transaction=True)
def test_counting_holds_no_lock(client, monkeypatch):
    flag, open_transactions = make_flag("wanted"), []
    counted = preview.effects

    def watched(*documents: str, **options: Any) -> Any:
        open_transactions.append(connection.in_atomic_block)
        return counted(*documents, **options)

    monkeypatch.setattr(preview, "effects", watched)

    client.post(address(flag), form_of(flag, percentage="50"))

    assert open_transactions == [False]


def test_a_refusal_of_the_whole_is_shown_with_all_that_was_typed(client, monkeypatch):
    def refuse(document: str) -> None:
        raise Malformed("wanted: it makes no sense.")

    flag = make_flag("wanted")
    monkeypatch.setattr(releases, "require_sound", refuse)

    page = page_of(client.post(address(flag), form_of(flag, percentage="33")))

    assert "wanted: it makes no sense." in page
    assert 'name="percentage" value="33"' in page
