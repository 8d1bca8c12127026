"""Every change of flags is one release, in the order of commits and without a gap; and may be taken back."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from modules.flags import actions, evaluation, releases
from modules.flags.models import Flag, FlagOverride, FlagPointer, FlagRelease, FlagVariant, RampStep, SectorRule
from tenants import scope
from tenants.models import AuditEvent
from tests.factories import make_flag, make_organisation, make_override, make_superuser, make_user

pytestmark = pytest.mark.django_db
EVERY_PART = "allowed_sectors, blocked_sectors, kind, needs, overrides, owner, ramp, review_date, rollout"


@pytest.fixture
def by():
    return make_superuser(email="sana@example.com")


@pytest.fixture(autouse=True)
def platform():
    with scope.platform():
        yield


def numbers() -> list[int]:
    return list(FlagRelease.objects.order_by("number").values_list("number", flat=True))


def newest() -> dict:
    return json.loads(FlagRelease.objects.order_by("-number")[0].document)["flags"]


def test_a_change_is_a_release_with_its_author_and_reason(by):
    actions.save_flag(Flag(key="new", name="New"), by=by, reason="try it")

    release = FlagRelease.objects.get()
    assert (release.number, release.author, release.author_email, release.reason) == (
        1,
        by,
        "sana@example.com",
        "try it",
    )
    assert (newest()["new"]["salt"], FlagPointer.objects.get().number) == ("new", 1)


def test_the_line_in_the_audit_names_the_release(by):
    actions.save_flag(Flag(key="new", name="New"), by=by, reason="try it")

    event = AuditEvent.objects.get(kind="event")
    assert (event.action, event.data) == ("flag.created", {"flag": "new", "release": 1})


def test_a_change_that_changes_nothing_is_no_release(by):
    flag = make_flag("same", is_killed=True)

    actions.kill_flag(flag, by=by, reason="again")

    assert numbers() == [1]


def test_several_changes_inside_one_are_one_release(by):
    flags = [make_flag(key) for key in ("a", "b", "c")]

    with releases.change("flags.killed", by=by, reason="all of them"):
        for flag in flags:
            actions.kill_flag(flag, by=by, reason="all of them")

    assert (numbers()[3:], [flag["killed"] for flag in newest().values()]) == ([4], [True, True, True])


def fail_in_the_middle(by) -> None:
    with releases.change("flag.saved", by=by, reason="fails"):
        Flag.objects.update(rollout=5)
        raise RuntimeError


def test_what_is_rolled_back_leaves_no_gap(by):
    flag = make_flag("wanted")
    with pytest.raises(RuntimeError):
        fail_in_the_middle(by)

    actions.kill_flag(flag, by=by, reason="works")

    assert (numbers(), newest()["wanted"]["rollout"]) == ([1, 2], 100_000)


def test_a_circle_is_refused_and_nothing_changes(by):
    base, top = make_flag("base"), make_flag("top")
    actions.save_flag(top, by=by, reason="first", needs=[base])

    with pytest.raises(releases.Refused, match="in a circle"):
        actions.save_flag(base, by=by, reason="second", needs=[top])

    assert (numbers(), newest()["base"]["needs"]) == ([1, 2, 3], [])


def test_a_refusal_is_a_validation_error_for_forms():
    assert issubclass(releases.Refused, ValidationError)


def test_only_the_named_fields_are_written_so_that_other_edits_stay(by):
    flag = make_flag("shared")
    stale = Flag.objects.get()
    flag.rollout = 5
    actions.save_flag(flag, by=by, reason="first", fields=["rollout"])

    stale.name = "Shared"
    actions.save_flag(stale, by=by, reason="second", fields=["name"])

    assert (newest()["shared"]["rollout"], newest()["shared"]["name"]) == (5, "Shared")


def test_lists_that_nobody_gave_stay(by):
    flag = make_flag("shared")
    stale = Flag.objects.get()
    actions.save_flag(flag, by=by, reason="first", fields=[], allowed_sectors=["59"])

    actions.save_flag(stale, by=by, reason="second", fields=["owner"], blocked_sectors=["551"])

    assert (newest()["shared"]["allowed_sectors"], newest()["shared"]["blocked_sectors"]) == (["59"], ["551"])
    assert (Flag.objects.get().allowed_sectors, Flag.objects.get().blocked_sectors) == (["59"], ["551"])


def everything(by) -> Flag:
    """A flag that uses all that there is."""
    base = make_flag("base")
    flag = Flag(key="whole", name="Whole", value_type="string", off_value="none", owner="Prices", kind="ops")
    flag.review_date = date(2027, 1, 31)
    variants = [FlagVariant(name="red", value="r", weight=3), FlagVariant(name="blue", value="b", weight=1)]
    steps = [RampStep(at=timezone.now() + timedelta(days=day), rollout=day * 10_000) for day in (1, 2)]
    actions.save_flag(
        flag,
        by=by,
        reason="whole",
        needs=[base],
        allowed_sectors=["59", "55"],
        blocked_sectors=["551"],
        variants=variants,
        ramp=steps,
    )
    make_override(
        flag, organisation=make_organisation(), variant="blue", author=by, expires_at=timezone.now() + timedelta(days=9)
    )
    make_override(flag, person=make_user(), value=False)
    return flag


def test_going_back_restores_every_row_and_repeats_the_document(by):
    everything(by)
    release = FlagRelease.objects.order_by("-number")[0]
    actions.save_flag(
        Flag.objects.get(key="whole"), by=by, reason="empty", needs=[], allowed_sectors=[], blocked_sectors=[], ramp=[]
    )
    FlagOverride.objects.all().delete()
    Flag.objects.filter(key="whole").update(rollout=1, owner="", review_date=None, kind="release")
    releases.publish(by=by, reason="emptied")

    done = actions.revert_to(release.number, by=by, reason="it was better")

    again = FlagRelease.objects.order_by("-number")[0]
    assert (again.document, again.reverts_to, again.reason) == (release.document, release.number, "it was better")
    assert (done.changes, done.left_out) == (
        [f"change flag whole: {EVERY_PART}"],
        [],
    )
    assert (SectorRule.objects.count(), FlagOverride.objects.get(value=True).author) == (3, by)


def test_going_back_deletes_what_was_not_there_and_brings_back_what_was(by):
    make_flag("old")
    make_flag("newer")
    before = actions.revert_to(1, by=by, reason="back")
    there = list(Flag.objects.values_list("key", flat=True))
    after = actions.revert_to(2, by=by, reason="forth")

    assert (before.changes, there) == (["delete flag newer"], ["old"])
    assert (after.changes, sorted(newest())) == (["add flag newer"], ["newer", "old"])


def test_going_back_leaves_alone_what_is_as_it_was(by):
    make_flag("still")
    make_flag("changed")
    number = numbers()[-1]
    actions.kill_flag(Flag.objects.get(key="changed"), by=by, reason="broken")

    actions.revert_to(number, by=by, reason="mended")

    event = AuditEvent.objects.get(kind="event", action="flags.reverted")
    rows = AuditEvent.objects.filter(kind="row", event_id=event.pk)
    assert [(row.target_table, row.data) for row in rows] == [("flags_flag", {"is_killed": [True, False]})]


def test_there_is_no_way_back_to_a_release_that_never_was(by):
    with pytest.raises(releases.Refused, match="no release 9"):
        actions.revert_to(9, by=by, reason="lost")


def test_an_export_of_elsewhere_is_imported_without_who_is_not_here(by):
    everything(by)
    document = json.loads(FlagRelease.objects.order_by("-number")[0].document)
    document["flags"]["whole"]["overrides"][0]["target"] = {"person": "5b6f35a5-0000-4000-8000-000000000000"}
    Flag.objects.filter(key="whole").update(rollout=1)

    done = actions.import_flags(json.dumps(document), by=by, reason="copy")

    assert done.changes == ["change flag whole: overrides, rollout"]
    assert done.left_out == ["flag whole: the override for 5b6f35a5-0000-4000-8000-000000000000, who is not here"]
    assert Flag.objects.get(key="whole").rollout == 100_000


def exported(**parts) -> dict:
    """What the newest release says, with other parts of the flag `wanted`."""
    document = json.loads(FlagRelease.objects.order_by("-number")[0].document)
    document["flags"]["wanted"] |= parts
    return document


def test_an_import_tells_as_changes_what_changes_alone(by):
    for key in ("a", "b"):
        make_flag(key)
    wanted = make_flag("wanted", window_starts_at=datetime(2026, 1, 31, 9, tzinfo=UTC))
    actions.save_flag(wanted, by=by, reason="more", needs=Flag.objects.filter(key__in=["a", "b"]))
    same = exported(starts_at="2026-01-31T10:00:00+01:00", needs=["b", "a"], rolout=5)

    done = actions.import_flags(json.dumps(same), by=by, reason="the same in other words")

    assert (done.changes, done.left_out) == ([], ["flag wanted: 'rolout', which no flag has here"])
    assert numbers() == [1, 2, 3, 4]


def test_an_import_that_says_something_twice_is_refused(by):
    make_flag("wanted")
    document = json.dumps(exported())
    twice = document.replace('"wanted":', '"wanted": {}, "wanted":')

    with pytest.raises(releases.Refused, match="'wanted' stands twice"):
        actions.import_flags(twice, by=by, reason="two files in one")


@pytest.mark.parametrize("moment", ["0001-01-01T12:00:00+00:00", "9999-12-31T12:00:00+00:00"])
@pytest.mark.parametrize("part", ["window", "ramp"])
def test_moments_that_some_zone_could_not_tell_are_not_imported(by, moment, part):
    make_flag("wanted")
    parts = {"starts_at": moment} if part == "window" else {"ramp": [{"at": moment, "rollout": 0}]}

    with pytest.raises(releases.Refused, match="first or last day of the calendar"):
        actions.import_flags(json.dumps(exported(**parts)), by=by, reason="for ever")

    assert numbers() == [1]


def overridden(*overrides: dict) -> str:
    """An export in which `wanted` has these overrides."""
    plain = {"on": True, "variant": "", "reason": "demo", "author": "", "starts_at": None, "expires_at": None}
    return json.dumps(exported(overrides=[plain | override for override in overrides]))


def test_an_override_for_what_is_no_id_is_left_out_of_an_import(by):
    make_flag("wanted")

    done = actions.import_flags(overridden({"target": {"person": "ada"}}), by=by, reason="by name")

    assert (done.changes, done.left_out) == ([], ["flag wanted: the override for ada, who is not here"])


def test_overrides_that_cannot_stand_are_refused_by_name(by):
    make_flag("wanted")
    public_id = str(make_user().public_id)
    target = {"target": {"person": public_id}}
    twice = overridden(target, {"target": {"person": public_id.upper()}})
    backwards = overridden({**target, "starts_at": "2026-02-01T00:00:00Z", "expires_at": "2026-01-01T00:00:00Z"})

    with pytest.raises(releases.Refused, match="wanted: two overrides for"):
        actions.import_flags(twice, by=by, reason="in both spellings")
    with pytest.raises(releases.Refused, match=r"wanted: the override for .* must expire after it starts"):
        actions.import_flags(backwards, by=by, reason="backwards")


def test_an_import_of_nonsense_changes_nothing(by):
    make_flag("wanted")

    with pytest.raises(releases.Refused, match="is no JSON"):
        actions.import_flags("[" * 100_000, by=by, reason="oops")

    assert numbers() == [1]


def test_the_past_is_answered_by_its_own_release(by):
    flag = make_flag("wanted")
    then = timezone.now()
    actions.kill_flag(flag, by=by, reason="broken")

    assert releases.snapshot_at(then).flags["wanted"].fixed is None
    assert releases.snapshot_at(timezone.now()).flags["wanted"].fixed is not None
    assert releases.snapshot_at(then - timedelta(days=1)).flags == {}


def test_the_next_answer_is_the_newest_releases(by):
    context = evaluation.Context(organisation="here")
    flag = make_flag("wanted")
    before = evaluation.explain("wanted", context=context)

    actions.kill_flag(flag, by=by, reason="broken")

    after = evaluation.explain("wanted", context=context)
    assert [(told.value, told.version) for told in (before, after)] == [(True, 1), (False, 2)]


def test_the_database_keeps_the_key_of_a_flag():
    make_flag("for.good")

    with pytest.raises(IntegrityError, match="good stays"), transaction.atomic():
        Flag.objects.update(key="other")


@pytest.mark.parametrize("change", ["update", "delete"])
def test_nobody_changes_a_release(change):
    make_flag("wanted")
    rows = FlagRelease.objects.all()

    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        rows.update(document="{}") if change == "update" else rows._raw_delete(rows.db)


@pytest.mark.parametrize("model", [Flag, FlagRelease, FlagPointer, FlagVariant, SectorRule, RampStep])
def test_the_web_only_reads(model):
    make_flag("wanted")

    with scope.organisation(make_organisation().pk):
        assert model.objects.count() >= 0
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            model.objects.update(**{model._meta.pk.attname: 1})


@pytest.mark.parametrize(
    ("model", "fields", "rule"),
    [
        (FlagVariant, {"name": "A b", "value": 1}, "flag_variant_is_a_slug"),
        (FlagVariant, {"name": "a", "value": 1, "weight": 100_001}, "flag_variant_weight_is_at_most_all"),
        (SectorRule, {"prefix": "5", "effect": "allow"}, "flag_sector_rule_is_digits"),
        (SectorRule, {"prefix": "59", "effect": "maybe"}, "flag_sector_rule_is_known"),
        (RampStep, {"at": timezone.now(), "rollout": 100_001}, "flag_ramp_step_is_at_most_all"),
        (FlagOverride, {"value": False, "variant": "red", "reason": "x"}, "flag_override_chooses_a_variant"),
    ],
)
def test_the_database_refuses_what_makes_no_sense(model, fields, rule):
    flag = make_flag("wanted")
    targets = {"organisation": make_organisation()} if model is FlagOverride else {}

    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        model.objects.create(flag=flag, **targets, **fields)
