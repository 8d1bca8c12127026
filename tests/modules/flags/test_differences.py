"""What two documents of flags say differently, in words."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from modules.flags.differences import FIELDS, differences
from modules.flags.document import TooNew
from modules.flags.drafting import bodies as drafted
from modules.flags.names import names_between
from tenants import scope
from tests.factories import make_flag, make_organisation, make_user
from tests.modules.flags.documents import body, document, override

BLUE = {"name": "blue", "value": True, "weight": 1}
JUNE, DECEMBER = "2026-06-01T09:00:00+00:00", "2026-12-01T09:00:00+00:00"


def told(before: dict, after: dict, names: dict | None = None) -> list[str]:
    return [str(one) for one in differences(document(**before), document(**after), names)]


@pytest.mark.parametrize(
    ("field", "before", "after", "words"),
    [
        ("rollout", 25_000, 50_500, "rollout 25 % → 50.5 %"),
        ("killed", False, True, "not killed → killed"),
        ("archived", True, False, "archived → not archived"),
        ("enabled", False, True, "not enabled → enabled"),
        ("visible_to_clients", False, True, "not visible to clients → visible to clients"),
        ("starts_at", None, DECEMBER, "on from always → 01 Dec 2026 09:00 UTC"),
        ("ends_at", DECEMBER, None, "on until 01 Dec 2026 09:00 UTC → without end"),
        ("module", "", "alert_system", "module none → alert_system"),
        ("needs", [], ["base", "top"], "prerequisites none → base, top"),
        ("allowed_sectors", [], ["59140", "55"], "only for the sectors all → 59140, 55"),
        ("blocked_sectors", ["59"], [], "never for the sectors 59 → none"),
        ("bucket_by", "organisation", "person", "percentage by organisation → person"),
        ("salt", "salt", "pepper", "salt of the percentage salt → pepper"),
        ("variants", [], [BLUE], "variants none → blue = on with weight 1"),
        ("ramp", [], [{"at": DECEMBER, "rollout": 500}], "ramp none → 0.5 % from 01 Dec 2026 09:00 UTC"),
        ("off_value", False, True, "value when off off → on"),
        ("name", "A flag", "The flag", "name “A flag” → “The flag”"),
        ("purpose", "", "why", "purpose nothing → “why”"),
        ("kind", "release", "ops", "kind release → ops"),
        ("owner", "us", "", "owner “us” → nothing"),
        ("review_date", None, "2026-12-01", "review date none → 2026-12-01"),
        ("hash_version", 1, 2, "version of the hash 1 → 2"),
        ("value_type", "boolean", "string", "type boolean → string"),
    ],
)
def test_each_field_is_told_in_words_before_and_after(field, before, after, words):
    was, now = body(**{field: before}), body(**{field: after})

    assert told({"wanted": was}, {"wanted": now}) == [f"wanted: {words}"]


@pytest.mark.django_db
def test_no_field_of_a_flag_can_change_in_silence():
    make_flag("a")

    assert {field for field, _, _ in FIELDS} | {"overrides"} == set(drafted()["a"])


def test_the_fields_follow_each_other_as_on_the_ladder():
    now = body(rollout=0, killed=True, name="Other")

    assert told({"a": body()}, {"a": now}) == [
        "a: not killed → killed; rollout 100 % → 0 %; name “A flag” → “Other”",
    ]


def test_flags_that_say_the_same_are_left_out_and_the_others_come_in_order():
    before = {"same": body(), "b": body(), "a": body()}

    assert [one.key for one in differences(document(**before), document(same=body(), a=body(rollout=1)))] == ["a", "b"]


def test_a_new_flag_tells_what_is_not_plain_of_it():
    now = body(enabled=False, rollout=10_000, module="alert_system", overrides=[override()])

    assert told({}, {"a": now}) == [
        "a: added module alert_system; not enabled; rollout 10 %; override for here added: on: “demo”",
    ]


def test_a_flag_that_was_deleted_says_so():
    assert told({"a": body()}, {}) == ["a: deleted"]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ([], [override()], "override for Lumen added: on: “demo”"),
        ([override(on=False)], [], "override for Lumen removed, it was off: “demo”"),
        ([override()], [override(on=False)], "override for Lumen: on: “demo” → off: “demo”"),
        (
            [],
            [override(variant="blue", starts_at=JUNE, expires_at=DECEMBER, author="ada@example.com")],
            "override for Lumen added: on (blue) from 01 Jun 2026 09:00 UTC until 01 Dec 2026 09:00 UTC,"
            " by ada@example.com: “demo”",
        ),
    ],
)
def test_overrides_are_told_by_the_name_of_their_target(before, after, words):
    was, now = {"a": body(overrides=before)}, {"a": body(overrides=after)}

    assert told(was, now, {"here": "Lumen"}) == [f"a: {words}"]


def test_times_are_in_the_zone_of_whoever_reads():
    with timezone.override("Europe/Paris"):
        assert told({"a": body()}, {"a": body(starts_at=JUNE)}) == ["a: on from always → 01 Jun 2026 11:00 CEST"]


def test_a_very_long_text_is_told_by_its_beginning():
    (words,) = told({"a": body()}, {"a": body(purpose="x" * 5000)})

    assert (len(words) < 200, words.endswith("…”")) == (True, True)


def test_a_document_of_a_newer_form_is_refused_by_name():
    with pytest.raises(TooNew):
        differences(document(), '{"format":2,"flags":{}}')


def named(count: int) -> tuple[str, int]:
    """A document with overrides for so many organisations and people, and how many queries their names took."""
    targets = [{"organisation": str(make_organisation().public_id)} for _ in range(count)]
    targets += [{"person": str(make_user().public_id)} for _ in range(count)]
    text = document(a=body(overrides=[override(target=target) for target in targets]))
    with scope.platform(), CaptureQueriesContext(connection) as queries:
        names_between(document(), text)
    return text, len(queries)


@pytest.mark.django_db
def test_names_take_the_same_number_of_queries_for_one_and_for_three():
    assert named(1)[1] == named(3)[1]


@pytest.mark.django_db
def test_names_are_those_of_organisations_and_the_addresses_of_people():
    organisation, person = make_organisation("Lumen"), make_user("ada@example.com")
    gone = "00000000-0000-4000-8000-000000000000"
    targets = [{"organisation": str(organisation.public_id)}, {"person": str(person.public_id)}, {"person": gone}]
    overrides = [override(target=target) for target in [*targets, {"person": "no public id"}]]

    with scope.platform():
        names = names_between(document(), document(a=body(overrides=overrides)))

    assert names == {str(organisation.public_id): "Lumen", str(person.public_id): "ada@example.com"}


@pytest.mark.django_db
def test_nobody_is_looked_up_for_what_stays_the_same():
    organisation = make_organisation()
    same = body(overrides=[override(target={"organisation": str(organisation.public_id)})])

    with scope.platform():
        assert names_between(document(a=same), document(a=same, b=body())) == {}
