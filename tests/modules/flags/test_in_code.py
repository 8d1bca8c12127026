"""Flags as code uses them: in views, templates, tests, through OpenFeature; and the keys that it declares."""

import logging
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.http import Http404
from django.template import engines
from openfeature import api
from openfeature.evaluation_context import EvaluationContext

from modules import registry
from modules.flags import declared, evaluation
from modules.flags.answers import Context, Reason
from modules.flags.decorators import needs_flag
from modules.flags.document import SCALE
from modules.flags.ladder import bucket
from modules.flags.openfeature import Flags
from tests.modules.flags.documents import body, document, override

HERE = Context(organisation="here", person="me", sector="59140", entitled_modules=frozenset())
COLOUR = body(
    value_type="string", off_value="none", variants=[{"name": "red", "value": "r", "weight": 1}], bucket_by="person"
)
SIZES = body(value_type="object", off_value={}, variants=[{"name": "small", "value": {"width": 1}, "weight": 1}])
FLAGS = document(
    on=body(),
    off=body(killed=True),
    colour=COLOUR,
    sizes=SIZES,
    for_here=body(enabled=False, overrides=[override(author="sana@example.com")]),
    public=body(visible_to_clients=True),
    module=body(module="prices"),
)


@pytest.fixture(autouse=True)
def released(flag_store):
    flag_store._adopt(5, FLAGS)
    flag_store._look = lambda: True


def test_a_flag_is_asked_by_its_key():
    assert (evaluation.is_on("on", context=HERE), evaluation.is_on("off", context=HERE)) == (True, False)


def test_a_value_is_the_variants_or_what_it_answers_when_off():
    values = evaluation.value("colour", context=HERE), evaluation.value("colour", context=Context())

    assert values == ("r", "none")


def test_a_value_of_an_unknown_flag_is_the_default():
    assert evaluation.value("unheard.of", default=7, context=HERE) == 7


def test_who_is_named_by_no_text_gets_the_default_and_the_process_lives_on(caplog, flag_store):
    """A lone surrogate, as JSON from outside may hold it: no UTF-8 text, and `mmh3` ends the process over one."""
    flag_store._adopt(6, document(half=body(rollout=50_000), colour=COLOUR))
    nobody = Context(organisation="\ud800", person="\udfff")

    answers = evaluation.is_on("half", default=True, context=nobody), evaluation.value("colour", context=nobody)

    assert answers == (True, None)
    assert "The flag half could not be evaluated: its default True holds." in caplog.text
    assert bucket("f", "\ud800") < SCALE


def test_everything_is_explained():
    told = evaluation.explain("for_here", context=HERE)

    assert (told.value, told.rung, told.reason, told.version) == (True, 7, Reason.ORGANISATION_OVERRIDE, 5)
    assert told.sentence == "overridden on for the organisation by sana@example.com: demo"


def test_all_flags_answer_together():
    told = evaluation.all_flags(HERE)

    assert evaluation.all_values(HERE) == {key: one.value for key, one in told.items()}
    assert {key: one.value for key, one in told.items()} == {
        "on": True,
        "off": False,
        "colour": "r",
        "sizes": {"width": 1},
        "for_here": True,
        "public": True,
        "module": False,
    }


def test_forced_flags_answer_together_as_they_do_alone():
    with evaluation.using(HERE), evaluation.forced(off=True, on=False, colour="green", sizes=True):
        told, values = evaluation.all_flags(), evaluation.all_values()
        alone = {key: evaluation.value(key) for key in values}

    assert values == alone == {key: one.value for key, one in told.items()}
    assert (values["off"], values["on"], values["colour"], values["sizes"]) == (True, False, "green", {"width": 1})


def test_clients_see_what_is_for_them_alone():
    assert sorted(evaluation.all_flags(HERE, only_for_clients=True)) == ["public"]


@pytest.mark.parametrize("key", ["", "x" * 10_000, "\x00", None, 7, [], {}, object()])
@pytest.mark.parametrize("ask", [evaluation.is_on, evaluation.value, evaluation.explain])
def test_whatever_the_key_is_the_default_holds(ask, key):
    told = ask(key, default=True, context=HERE)

    assert getattr(told, "value", told) is True


BROKEN = [Context(sector=None), Context(person=7), Context(entitled_modules=5), "nobody", object()]  # type: ignore[arg-type]


@pytest.mark.parametrize("context", BROKEN)
def test_a_context_that_is_none_gives_the_default_and_a_line_in_the_log(monkeypatch, caplog, context):
    monkeypatch.setattr(evaluation, "_told", set())
    flag = "module" if getattr(context, "entitled_modules", None) else "for_here"

    answers = [evaluation.is_on(flag, context=context), evaluation.value(flag, default="d", context=context)]

    assert all(answer in {"d", False, True} for answer in answers)
    if "d" in answers:
        assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert len(evaluation.all_flags(context)) == 7


def test_a_test_forces_flags_and_values():
    with evaluation.using(HERE):
        with evaluation.forced(off=True, on=False, colour="green", **{"un.known": True}):
            inside = [evaluation.value(key) for key in ("off", "on", "colour", "un.known")]
            with evaluation.forced(on=True):
                innermost = [evaluation.is_on(key) for key in ("off", "on")]
        after = [evaluation.value(key) for key in ("off", "on", "colour")]

    assert inside == [True, False, "green", True]
    assert (innermost, after) == ([True, True], [False, True, "r"])


def test_what_a_test_forces_holds_in_the_requests_inside():
    with evaluation.forced(off=True), evaluation.using(HERE):
        assert evaluation.is_on("off")


def test_a_context_that_costs_something_is_made_when_it_is_needed_and_once():
    made = []

    def context() -> Context:
        made.append(1)
        return HERE

    with evaluation.using(context) as pinned:
        before = (list(made), pinned.version)
        evaluation.is_on("on")
        evaluation.is_on("off")

    assert (before, made, pinned.version) == (([], None), [1], 5)


@needs_flag("on")
def seen(request) -> str:
    return "seen"


@needs_flag("off")
def hidden(request) -> str:
    return "seen"


def test_a_view_behind_a_flag_that_is_off_is_not_there():
    with evaluation.using(HERE):
        assert seen(None) == "seen"
        with pytest.raises(Http404):
            hidden(None)


def test_templates_ask_too():
    text = '{% load flags %}{% flag "on" as wanted %}{% if wanted %}yes{% endif %} {% flag_value "colour" %}'
    with evaluation.using(HERE):
        assert engines["django"].from_string(text).render() == "yes r"


@pytest.fixture
def client() -> Iterator:
    api.set_provider(Flags())
    yield api.get_client()
    api.shutdown()


THERE = EvaluationContext("me", {"organisation": "here", "sector": "59140", "entitled_modules": []})


def test_openfeature_reads_our_flags(client):
    told = client.get_boolean_details("on", False, THERE)

    assert (told.value, told.reason, told.variant, told.error_code) == (True, "SPLIT", "on", None)
    assert told.flag_metadata == {"release": 5, "rung": 11, "reason": "in the rollout"}


def test_openfeature_reads_values_of_each_type(client):
    assert client.get_string_value("colour", "none", THERE) == "r"
    assert client.get_object_value("sizes", {}, THERE) == {"width": 1}


@pytest.mark.parametrize(("key", "code"), [("unheard.of", "FLAG_NOT_FOUND"), ("colour", "TYPE_MISMATCH")])
def test_openfeature_gets_the_default_where_there_is_no_such_answer(client, key, code):
    told = client.get_boolean_details(key, True, THERE)

    assert (told.value, told.error_code, told.reason) == (True, code, "ERROR")


def test_openfeature_answers_for_the_context_in_use(client):
    with evaluation.using(HERE):
        assert client.get_boolean_value("for_here", False) is True


CODE = """
from modules.flags import evaluation as switches
from modules.flags.evaluation import explain as told
from modules.flags.decorators import needs_flag
from modules.flags.document import SCALE
from modules.flags.ladder import bucket
import other

switches.is_on("one")
switches.value("two", default=1)
told("three")
switches.explain(key)
other.is_on("not ours")

@needs_flag("four")
def view(request): ...
"""


def test_uses_are_found_by_whatever_name_the_reader_has():
    assert [key for key, _ in declared.in_code(CODE)] == ["one", "two", "three", "four"]


def test_uses_in_templates_are_found(tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text("<p>\n{% flag 'one' as x %} {% flag_value \"two\" %}")

    assert [str(use) + use.key for use in declared.uses(tmp_path)] == [
        "templates/page.html:2one",
        "templates/page.html:2two",
    ]


def test_what_is_used_is_declared_and_what_is_declared_is_used():
    used = declared.uses(settings.BASE_DIR)
    known = set(declared.DECLARED) | {key for spec in registry.all_specs() for key in spec.flags}

    assert declared.undeclared(used, known | {spec.flag for spec in registry.all_specs()}) == []
    assert declared.unused(used, known) == []


def test_an_undeclared_use_and_an_unused_declaration_are_told():
    used = [declared.Use("new", "a.py", 1)]

    assert (declared.undeclared(used, {"old"}), declared.unused(used, {"old"})) == (used, ["old"])
