"""Flags from the command line: looked at, explained, and changed in the one style of all commands."""

import json
import stat
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from modules.flags import declared
from modules.flags.models import Flag, FlagRelease
from tenants import scope
from tests.accounts.operating import APPLY, events, run, run_json
from tests.factories import make_flag, make_member, make_organisation, make_override
from tests.modules.flags.uses import make_use

pytestmark = pytest.mark.django_db


def test_the_list_says_the_state_of_each():
    make_flag("part", rollout=12_500, kind="ops", module_key="prices", review_date="2027-01-31")
    make_override(make_flag("switch", is_killed=True), organisation=make_organisation())

    told, code = run("flags", "list")

    assert told.splitlines() == [
        "      part: 12.5 %, ops, module prices, review 2027-01-31",
        "      switch: killed, release, 1 overrides",
    ]
    assert code == 0


def test_one_is_shown_with_all_that_it_says():
    make_flag("wanted", allowed_sectors=["59"])

    assert run_json("flags", "show", "wanted")["flag"]["allowed_sectors"] == ["59"]
    assert "allowed_sectors: " in run("flags", "show", "wanted")[0]


def test_showing_one_says_when_it_was_last_evaluated():
    make_flag("wanted")
    make_flag("unused")
    make_use("wanted", hour=datetime(2026, 11, 25, 9, tzinfo=UTC))

    assert "last evaluated: in the hour from 25 Nov 2026 09:00 UTC" in run("flags", "show", "wanted")[0]
    assert "last evaluated: not in the last 90 days" in run("flags", "show", "unused")[0]


@pytest.mark.parametrize("verb", ["show", "kill", "restore", "set"])
def test_a_name_that_is_none_is_refused_with_those_that_come_nearest(verb):
    make_flag("export_functionality")

    assert run("flags", verb, "export_functionalty") == (
        "There is no flag export_functionalty. Did you mean export_functionality?",
        2,
    )


def test_the_answer_is_explained_rung_by_rung():
    organisation = make_organisation("Ours", sector="59140")
    person = make_member(organisation, email="esme@example.com")
    make_override(make_flag("wanted", is_enabled=False), organisation=organisation, reason="demo")

    told, code = run("flags", "explain", "wanted", "--organisation", "ours", "--person", person.email)

    assert "answer: on (on): overridden on for the organisation by the system: demo Release 2." in told
    assert " 7 No override for the organisation, and enabled: decided" in told
    assert (" 8 The sector is not blocked: not reached" in told, code) == (True, 0)


def test_an_override_that_expired_is_told_although_it_decides_nothing():
    organisation = make_organisation("Ours")
    make_override(make_flag("wanted"), organisation=organisation, expires_at=timezone.now() - timedelta(days=1))

    told, _ = run("flags", "explain", "wanted", "--organisation", "ours")

    assert "7 No override for the organisation, and enabled: passed: an override by the system expired" in told
    assert "10 Inside the percentage: passed: bucket " in told


def test_a_moment_of_the_past_is_explained_by_its_release():
    organisation = make_organisation("Ours")
    make_flag("wanted")
    with scope.login():
        FlagRelease.objects.update(created_at=timezone.now() - timedelta(days=2))
    run("flags", "kill", "wanted", *APPLY)
    then = (timezone.now() - timedelta(days=1)).isoformat()

    past = run_json("flags", "explain", "wanted", "--organisation", organisation.slug, "--at", then)
    now = run_json("flags", "explain", "wanted", "--organisation", organisation.slug)

    assert [(told["value"], told["release"]) for told in (past, now)] == [(True, 1), (False, 2)]


def test_what_the_operator_forces_is_told_as_it_is_now(settings):
    settings.FLAGS_FORCED = {"wanted": False, "gone": True}
    make_flag("wanted")
    now = timezone.now().isoformat()

    told = [run("flags", "explain", key)[0] for key in ("wanted", "gone")]
    then = run("flags", "explain", "wanted", "--at", now)[0]

    assert "answer: off (off): forced off by the operator. Release 1." in told[0]
    assert "answer: on (on): forced on by the operator. Release 1." in told[1]
    assert "forced" not in then.splitlines()[0]
    assert run("flags", "list")[0] == "      wanted: on, release, forced off\n"


def test_a_kill_is_first_said_and_then_done():
    make_flag("wanted")

    dry, done, again = (
        run("flags", "kill", "wanted"),
        run("flags", "kill", "wanted", *APPLY),
        run("flags", "kill", "wanted", *APPLY),
    )

    assert dry == ("would: kill wanted: off for everybody\n1 change pending; --apply makes them.\n", 4)
    assert (done[1], again) == (0, ("0 changes made.\n", 0))
    assert events() == [("flag.killed", "ops@example.com", "asked for it")]
    assert FlagRelease.objects.count() == 2


def test_what_is_killed_is_restored():
    make_flag("wanted", is_killed=True)

    run("flags", "restore", "wanted", *APPLY)

    assert Flag.objects.get().is_killed is False


def test_fields_are_set_and_the_difference_is_told():
    make_flag("wanted")

    told, code = run("flags", "set", "wanted", "--percentage", "12.345", "--enabled", "on", "--owner", "Prices", *APPLY)

    assert told == "wanted: owner '' -> 'Prices'\nwanted: rollout 100000 -> 12345\n2 changes made.\n"
    assert (Flag.objects.get().rollout, Flag.objects.get().owner, code) == (12_345, "Prices", 0)


def test_a_flag_is_made():
    _, code = run("flags", "set", "new.flag", "--create", "--percentage", "10", *APPLY)

    flag = Flag.objects.get()
    assert (flag.name, flag.is_enabled, flag.rollout, code) == ("new.flag", False, 10_000, 0)


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["set", "wanted", "--create"], "already", 2),
        (["set", "Not A Key", "--create"], "Lower-case letters", 1),
        (["set", "wanted", "--percentage", "101"], "not a percentage", 1),
        (["set", "wanted", "--percentage", "nan"], "not a percentage", 1),
        (["set", "wanted", "--percentage", "1e999999999"], "not a percentage", 1),
        (["set", "wanted", "--enabled", "maybe"], "neither on nor off", 1),
        (["set", "wanted", "--kind", "whim"], "not a valid choice", 1),
        (["revert", "9"], "There is no release 9", 1),
        (["import", "/nowhere/flags.json"], "cannot be read", 2),
        (["explain", "wanted", "--organisation", "nobody"], "There is no organisation nobody", 2),
        (["export", "/nowhere/flags.json"], "cannot be written", 2),
    ],
)
def test_what_is_given_wrongly_is_refused_in_words(arguments, words, code):
    make_flag("wanted")

    told = run("flags", *arguments)

    assert words in told[0]
    assert told[1] == code


def test_what_is_exported_is_imported_again(tmp_path):
    make_override(make_flag("wanted"), organisation=make_organisation())
    file = str(tmp_path / "flags.json")

    exported = run("flags", "export", file)
    run("flags", "kill", "wanted", *APPLY)
    imported = run("flags", "import", file, *APPLY)

    assert (exported[1], stat.S_IMODE((tmp_path / "flags.json").stat().st_mode)) == (0, 0o600)
    assert imported == ("change flag wanted: killed\n1 change made.\n", 0)
    assert json.loads((tmp_path / "flags.json").read_text())["flags"]["wanted"]["killed"] is False
    assert Flag.objects.get().is_killed is False


def test_an_older_release_is_gone_back_to():
    make_flag("wanted")
    run("flags", "kill", "wanted", *APPLY)

    told = run("flags", "revert", "1", *APPLY)

    assert told == ("change flag wanted: killed\n1 change made.\n", 0)
    assert FlagRelease.objects.order_by("-number")[0].reverts_to == 1


def test_all_is_well_when_rows_release_and_code_agree():
    make_flag("market_edge_v2")

    told, code = run("flags", "check")

    assert ("release: 1 says what the tables say" in told, code) == (True, 0)


def test_rows_that_nobody_released_are_a_problem():
    make_flag("wanted")
    with scope.login():
        Flag.objects.update(rollout=5)

    told, code = run("flags", "check")

    assert ("what the tables say is not what processes read" in told, code) == (True, 1)


def test_keys_that_do_not_agree_with_the_code_are_problems(monkeypatch):
    make_flag("market_edge_v2")
    monkeypatch.setattr(declared, "uses", lambda root: [declared.Use("new", "modules/views.py", 3)])
    monkeypatch.setattr(declared, "DECLARED", {"old": "nothing any more"})

    told, code = run("flags", "check")

    assert "new is asked for at modules/views.py:3 and declared nowhere" in told
    assert ("old is declared, and no code asks for it" in told, code) == (True, 1)


def test_a_review_that_is_due_is_told():
    make_flag("wanted", review_date=timezone.localdate() - timedelta(days=1), owner="Prices")

    assert "Prices knows it" in run("flags", "check")[0]
