"""The newest release cannot be read here, damaged or of a newer version: the one before holds, and everything works."""

from datetime import UTC, datetime

import pytest

from modules.flags import releases
from modules.flags.models import Flag, FlagPointer, FlagRelease
from modules.flags.newest import MOST_UNREADABLE, release_that_holds
from modules.flags.watching import State
from tenants import scope
from tenants.editors_zone import COOKIE
from tests.accounts.operating import APPLY, run
from tests.factories import make_flag, make_member, make_organisation, make_override, make_superuser, release_flags
from tests.modules.flags.documents import body, document
from tests.modules.flags.in_admin import DUE, KILL_SWITCH, LIST, bulk, throw
from tests.modules.flags.publishing import newest, page_of, publish

pytestmark = pytest.mark.django_db
WHOLE = {
    "no JSON": "nonsense",
    "of a newer version": '{"format":9,"flags":{}}',
    "a list": "[]",
    "flags in a list": '{"format":1,"flags":[]}',
}
FLAG = {
    "null": '{"format":1,"flags":{"wanted":null}}',
    "a number": '{"format":1,"flags":{"wanted":7}}',
    "a list": '{"format":1,"flags":{"wanted":[]}}',
    "without fields": '{"format":1,"flags":{"wanted":{}}}',
    "a field of another type": '{"format":1,"flags":{"wanted":{"rollout":"x","overrides":7,"needs":7}}}',
    "a sign that no text can have": '{"format":1,"flags":{"wanted":{"name":"\\u0000"}}}',
    "a field less": document(wanted={name: said for name, said in body().items() if name != "off_value"}),
    "a variant without a value": document(wanted=body(variants=[{"name": "blue", "weight": 1}])),
    "a key that is none": '{"format":1,"flags":{"\\u0000":{"name":"wanted"}}}',
}
ALL = WHOLE | {f"a flag: {name}": document for name, document in FLAG.items()}
UNREAD = "Release 3 cannot be read here: it is damaged, or of a newer version of the product."
LINE = "Until one can be, release 2 holds."


def add(text: str) -> int:
    """As another version of the product, or an accident, leaves it."""
    with scope.login():
        number = newest() + 1
        FlagRelease.objects.create(number=number, document=text, reason="from elsewhere")
        FlagPointer.objects.update(number=number)
    return number


def held() -> int:
    release = release_that_holds()
    return release.number if release else 0


@pytest.fixture
def flag(client) -> Flag:
    client.force_login(make_superuser(email="super@example.com"))
    lumen = make_organisation("Lumen", slug="lumen")
    make_member(lumen, email="ada@example.com")
    made = make_flag("wanted")
    make_override(made, organisation=lumen)
    release_flags()
    with scope.login():
        FlagPointer.objects.get_or_create(id=1, defaults={"number": 2})
    return made


def form_of(flag: Flag, **changes: object) -> dict[str, object]:
    same = {"name": flag.name, "percentage": "100", "bucket_by": "organisation", "is_enabled": "on", "reason": "less"}
    return {**same, "opened": newest(), **changes}


PAGES = (
    LIST,
    KILL_SWITCH,
    DUE,
    f"{LIST}why/",
    f"{LIST}why/?flag=wanted",
    f"{LIST}why/?organisation=lumen",
    f"{LIST}why/?flag=wanted&organisation=lumen&person=ada@example.com",
    f"{LIST}history/",
    f"{LIST}history/?flag=wanted",
    f"{LIST}history/3/",
    f"{LIST}history/4/",
    f"{LIST}history/compare/?first=2&second=3",
    f"{LIST}history/3/revert/",
    f"{LIST}history/2/revert/",
    f"{LIST}history/2/revert/?flag=wanted",
    f"{LIST}history/3/revert/?flag=wanted",
    f"{LIST}%s/change/",
    f"{LIST}%s/kill-switch/",
    f"{LIST}%s/use/",
    f"{LIST}add/",
    "/admin/flags/flagoverride/",
    "/admin/",
)


@pytest.mark.parametrize("document", ALL.values(), ids=ALL)
def test_every_page_opens(client, flag, document):
    add(document)
    add(f"{document} ")

    answers = {page: client.get(page.replace("%s", str(flag.pk))).status_code for page in PAGES}

    assert answers == dict.fromkeys(PAGES, 200)


@pytest.mark.parametrize("document", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("address", [f"{LIST}why/?flag=wanted&organisation=lumen", f"{LIST}%s/change/"])
def test_pages_go_by_the_release_that_holds_and_say_so(client, flag, document, address):
    add(document)

    page = page_of(client.get(address.replace("%s", str(flag.pk))))

    assert (UNREAD in page, LINE in page) == (True, True)


@pytest.mark.parametrize("address", [LIST, KILL_SWITCH, DUE, f"{LIST}why/?flag=wanted&organisation=lumen"])
def test_pages_tell_once_why_this_process_stays_with_an_older_one(client, flag, flag_store, address):
    add("nonsense")
    flag_store.says(State(2, 1, "database", True, 0.1, "release 3 cannot be read. The document is no JSON.", 3))

    page = page_of(client.get(address))

    assert (page.count("cannot be read"), UNREAD in page, LINE in page) == (1, True, True)


def test_the_kill_that_ends_it_is_obeyed_like_any_other(client, flag, flag_store):
    add("nonsense")
    flag_store.says(State(2, 1, "database", True, 0.1, "release 3 cannot be read. The document is no JSON.", 3))

    assert "Release 4 holds: here after" in page_of(throw(client, flag))


def test_the_history_says_which_release_holds(client, flag):
    add("nonsense")
    page = page_of(client.get(f"{LIST}history/"))

    assert page.count("holds now") == 1
    assert page.index("Release 3") < page.index("Release 2") < page.index("holds now") < page.index("Release 1")
    assert "holds now" in page_of(client.get(f"{LIST}history/2/"))
    assert "holds now" not in page_of(client.get(f"{LIST}history/3/"))


def test_where_none_can_be_read_the_defaults_hold(client, flag):
    with scope.login():
        FlagRelease.objects.update(document="nonsense")

    page = page_of(client.get(f"{LIST}why/?flag=wanted&organisation=lumen"))

    assert "Until one can be, the defaults of the code hold." in page
    assert "there is no such flag" in page.lower()


def test_one_that_was_there_before_the_accident_is_found_among_the_newest_alone(flag):
    for _ in range(MOST_UNREADABLE):
        add("nonsense")
    near = held()
    add("nonsense")

    assert (near, held()) == (2, 0)


def test_at_a_moment_of_the_past_the_one_that_held_then_is_taken(flag):
    add("nonsense")
    with scope.login():
        at = FlagRelease.objects.get(number=3).created_at

    assert releases.snapshot_at(at).version == 2


@pytest.mark.parametrize(
    "document", [*WHOLE.values(), *FLAG.values()], ids=[*WHOLE, *(f"flag: {name}" for name in FLAG)]
)
def test_a_change_is_previewed_against_what_holds_and_published(client, flag, document):
    add(document)
    address = f"{LIST}{flag.pk}/change/"

    preview = page_of(client.post(address, form_of(flag, percentage="5")))
    publish(client, address, form_of(flag, percentage="5"))

    assert "Nothing is published yet." in preview
    assert (UNREAD in preview) == (document in WHOLE.values())
    assert (newest(), held()) == (4, 4)


def test_a_change_back_to_what_holds_is_published_too(client, flag):
    """The rows are those of the release that cannot be read, and the form says what the one before says."""
    with scope.login():
        Flag.objects.filter(pk=flag.pk).update(rollout=5_000)
    add('{"format":9,"flags":{}}')
    address = f"{LIST}{flag.pk}/change/"

    preview = page_of(client.post(address, form_of(flag, percentage="100")))
    publish(client, address, form_of(flag, percentage="100"))

    assert "Nothing is published yet." in preview
    assert held() == newest() == 4


def test_a_form_that_was_opened_at_one_is_still_taken(client, flag):
    opened = add("nonsense")
    release_flags()

    publish(client, f"{LIST}{flag.pk}/change/", form_of(flag, percentage="5", opened=opened))

    with scope.login():
        assert Flag.objects.get(pk=flag.pk).rollout == 5_000


def test_what_others_changed_is_told_from_the_releases_that_can_be_read(client, flag):
    opened = newest()
    add("nonsense")
    with scope.login():
        Flag.objects.filter(pk=flag.pk).update(rollout=7_000)
    release_flags()

    page = page_of(client.post(f"{LIST}{flag.pk}/change/", form_of(flag, percentage="5", opened=opened)))

    assert "7 %" in page


@pytest.mark.parametrize("number", [None, 0, 1], ids=["lost", "as at first", "older"])
def test_flags_are_killed_although_the_pointer_names_no_newest_release(client, flag, number):
    with scope.login():
        FlagPointer.objects.all().delete()
        FlagPointer.objects.bulk_create([] if number is None else [FlagPointer(number=number)])

    throw(client, flag)

    with scope.login():
        assert (Flag.objects.get(pk=flag.pk).is_killed, FlagPointer.objects.get().number, newest()) == (True, 3, 3)


def test_deleting_an_override_beside_a_flag_that_cannot_be_read_is_refused_in_words(client, flag):
    with scope.login():
        Flag.objects.filter(pk=flag.pk).update(off_value=[])
        override = flag.overrides.get()
    address = f"/admin/flags/flagoverride/{override.pk}/delete/"

    asked = page_of(client.get(address))
    sent = page_of(client.post(address, {"reason": "it is over"}))

    refused = "wanted: off_value is not of the type boolean."
    assert f"This would be refused as things are.</strong> {refused}" in asked
    assert (f"Nothing was deleted: {refused}" in sent, 'value="it is over"' in sent) == (True, True)
    with scope.login():
        assert flag.overrides.get() == override


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Auckland"])
def test_switches_are_shown_beside_times_that_the_zone_does_not_have(client, flag, zone):
    first, last = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    with scope.login():
        Flag.objects.filter(pk=flag.pk).update(window_starts_at=first, window_ends_at=last)
        flag.overrides.update(starts_at=first, expires_at=last)
    release_flags()
    client.cookies[COOKIE] = zone
    pages = (LIST, KILL_SWITCH, f"{LIST}{flag.pk}/kill-switch/", "/admin/flags/flagoverride/", f"{LIST}history/")

    assert {page: client.get(page).status_code for page in pages} == dict.fromkeys(pages, 200)


@pytest.mark.parametrize("document", WHOLE.values(), ids=WHOLE)
def test_flags_are_killed_at_once_and_in_bulk(client, flag, document):
    add(document)

    asked = page_of(bulk(client, "kill", flag))
    throw(client, flag)

    assert UNREAD in asked
    assert (newest(), held()) == (4, 4)
    with scope.login():
        assert Flag.objects.get(pk=flag.pk).is_killed


@pytest.mark.parametrize("document", WHOLE.values(), ids=WHOLE)
def test_an_override_is_deleted_after_a_look_at_what_that_means(client, flag, document):
    add(document)
    with scope.login():
        override = flag.overrides.get()
    address = f"/admin/flags/flagoverride/{override.pk}/delete/"

    asked = page_of(client.get(address))
    client.post(address, {"reason": "over"})

    assert UNREAD in asked
    with scope.login():
        assert not flag.overrides.exists()


@pytest.mark.parametrize("document", WHOLE.values(), ids=WHOLE)
def test_commands_explain_by_what_holds_and_change_flags(flag, document):
    add(document)

    told, code = run("flags", "explain", "wanted", "--organisation", "lumen")

    assert (code, "release: 3 cannot be read here, so 2 holds" in told, "Release 2." in told) == (0, True, True)
    assert run("flags", "kill", "wanted", *APPLY)[1] == 0
    assert held() == 4


def test_checking_flags_names_it(flag):
    add('{"format":9,"flags":{}}')

    told, code = run("flags", "check")

    assert (code, "what the tables say is not what processes read" in told) == (1, True)


@pytest.mark.parametrize("document", FLAG.values(), ids=FLAG)
def test_forms_that_were_opened_at_a_flag_that_cannot_be_read_are_still_taken(client, flag, document):
    opened = add(document)
    release_flags()
    with scope.login():
        override = flag.overrides.get()

    publish(client, f"{LIST}{flag.pk}/change/", form_of(flag, percentage="5", opened=opened))
    form = {"value": "off", "reason": "over", "opened": opened}
    publish(client, f"/admin/flags/flagoverride/{override.pk}/change/", form)

    with scope.login():
        assert (Flag.objects.get(pk=flag.pk).rollout, flag.overrides.get().value) == (5_000, False)
