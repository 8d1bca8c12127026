"""Reading flags: once for a request, two queries, then nothing more."""

from dataclasses import replace

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Max

from accounts.models import User
from modules.flags import evaluation, reference
from modules.flags.evaluation import Context
from modules.flags.models import Flag, FlagPrerequisite
from tenants import scope
from tests.factories import make_flag, make_organisation, make_override, make_user, release_flags

pytestmark = pytest.mark.django_db


@pytest.fixture
def context() -> Context:
    return context_of(make_organisation(sector="59140"), make_user())


def context_of(organisation, person) -> Context:
    return Context(str(organisation.public_id), str(person.public_id), organisation.sector, frozenset())


def test_answering_asks_the_database_nothing(context, django_assert_num_queries):
    make_override(make_flag("wanted"), organisation=make_organisation())

    with evaluation.using(context) as pinned:
        assert pinned.snapshot.version == 2
        with django_assert_num_queries(0):
            for _ in range(10):
                assert evaluation.is_on("wanted")


def test_the_flags_stay_as_they_were_for_the_whole_request(context):
    make_flag("wanted")

    with evaluation.using(context):
        before = evaluation.is_on("wanted")
        change_by_hand(is_killed=True)
        after = evaluation.is_on("wanted")

    assert (before, after, evaluation.is_on("wanted", context=context)) == (True, True, False)


def change_by_hand(**fields) -> None:
    with scope.login():
        Flag.objects.update(**fields)
    release_flags()


def test_an_override_holds_for_its_target_alone(context):
    flag = make_flag("wanted", is_enabled=False)
    organisation = make_organisation()
    make_override(flag, organisation=organisation)
    here = replace(context, organisation=str(organisation.public_id))

    assert (evaluation.is_on("wanted", context), evaluation.is_on("wanted", context=here)) == (False, True)


def test_the_explanation_names_the_author_of_an_override(context):
    person = User.objects.get(public_id=context.person)
    make_override(make_flag("wanted"), person=person, author=make_user("sana@example.com"), value=False)

    assert "by sana@example.com: a test" in evaluation.explain("wanted", context=context).sentence


def test_without_a_context_nobody_is_asking():
    make_flag("wanted")

    assert "there is none" in evaluation.explain("wanted").sentence


def test_an_unknown_flag_is_told_once(context, caplog):
    for _ in range(3):
        evaluation.is_on("never.declared", default=True, context=context)

    assert [record.message for record in caplog.records if record.name == evaluation.__name__] == [
        "The flag never.declared is unknown: its default True holds."
    ]


def test_the_operator_forces_a_flag(context, settings):
    make_flag("wanted", is_killed=True)
    settings.FLAGS_FORCED = {"wanted": True}

    assert evaluation.explain("wanted", context=context).sentence == "forced on by the operator."


@pytest.mark.parametrize(
    "fields",
    [
        {"rollout": 100_001},
        {"key": "Not A Key"},
        {"bucket_by": "moon"},
    ],
)
def test_the_database_refuses_a_broken_flag(fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_flag(**{"key": "broken", **fields})


def test_the_database_refuses_an_override_for_two_targets():
    flag, organisation, person = make_flag("wanted"), make_organisation(), make_user()

    with pytest.raises(IntegrityError, match="flag_override_has_one_target"), transaction.atomic():
        make_override(flag, organisation=organisation, person=person)


def test_the_database_refuses_an_override_without_a_reason():
    flag, organisation = make_flag("wanted"), make_organisation()

    with pytest.raises(IntegrityError, match="flag_override_has_a_reason"), transaction.atomic():
        make_override(flag, organisation=organisation, reason="")


def test_the_database_refuses_two_overrides_for_one_target():
    flag, organisation = make_flag("wanted"), make_organisation()
    make_override(flag, organisation=organisation)

    with pytest.raises(IntegrityError, match="flag_override_is_unique_for_organisation"), transaction.atomic():
        make_override(flag, organisation=organisation)


def test_reference_flags_come_with_their_modules_and_only_once():
    with scope.platform():
        first = reference.load_reference_flags({"market_edge_core"})
        second = reference.load_reference_flags({"market_edge_core"})

    assert first == ["flag market_edge_v2", "flag sector_specific_insights", "flag export_functionality"]
    assert second == []


def test_reference_flags_that_people_changed_stay_changed():
    with scope.platform():
        reference.load_reference_flags(set())
        Flag.objects.update(rollout=7)
        reference.load_reference_flags(set())

        assert Flag.objects.aggregate(largest=Max("rollout")) == {"largest": 7}


def test_prerequisites_are_read_with_their_flag(context):
    base, top = make_flag("base", is_killed=True), make_flag("top")
    with scope.login():
        FlagPrerequisite.objects.create(flag=top, needs=base)
    release_flags()

    assert evaluation.explain("top", context=context).sentence.startswith("its prerequisite base is off")
