"""The access decision: nine rungs, the first that fails decides, and the reason is told."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from django.utils import timezone

from modules import access, registry
from modules.models import AnalyticsModule
from tenants.models import Membership, Organisation, Role
from tenants.seats import Seat

SPECS = {
    spec.key: spec
    for spec in (
        registry.ModuleSpec(
            key="prices", name="Prices", description="", application="market_edge", version="1", urls="", is_core=True
        ),
        registry.ModuleSpec(
            key="trends",
            name="Trends",
            description="",
            application="market_edge",
            version="1",
            urls="",
            role="analyst",
            dependencies=("prices",),
        ),
    )
}
PERSON = SimpleNamespace(pk=1, public_id="p", is_authenticated=True, is_active=True, is_staff=False)


@pytest.fixture(autouse=True)
def two_modules(monkeypatch):
    monkeypatch.setattr(registry, "_specs", dict(SPECS))


def catalogue(**changes) -> dict[str, AnalyticsModule]:
    rows = {
        key: AnalyticsModule(key=key, name=spec.name, application=spec.application, is_core=spec.is_core)
        for key, spec in SPECS.items()
    }
    for key, fields in changes.items():
        for name, value in fields.items():
            setattr(rows[key], name, value)
    return rows


def facts(**changes) -> access.Facts:
    """Everything in order for an analyst who opens Trends."""
    organisation = changes.pop("organisation", Organisation(pk=1, name="Ours", plan="basic"))
    seat = Seat(PERSON, organisation, Role.ANALYST, Membership(pk=1))
    whole = access.Facts(
        person=PERSON,
        organisation=organisation,
        seat=seat,
        catalogue=catalogue(),
        entitled=frozenset({"trends"}),
        applications=frozenset({"market_edge"}),
        at=timezone.now(),
    )
    return replace(whole, **changes)


def answer(known: access.Facts, key: str = "trends") -> tuple[int | None, str]:
    decision = access.decide(known, key)
    return (decision.deciding.number if decision.deciding else None), decision.reason


def test_all_in_order_opens_the_module():
    assert answer(facts()) == (None, "Every condition is met.")


def person(**changes) -> SimpleNamespace:
    return SimpleNamespace(**{**vars(PERSON), **changes})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"person": person(is_authenticated=False)}, (1, "Nobody is signed in.")),
        ({"person": person(is_active=False)}, (1, "The person's account is deactivated.")),
        ({"seat": None}, (2, "The person does not belong to the organisation.")),
        ({"organisation": Organisation(plan="basic", status="suspended")}, (3, "The organisation is suspended.")),
        ({"catalogue": {}}, (5, "The module is not in the catalogue.")),
        (
            {"catalogue": catalogue(trends={"status": "testing"})},
            (5, "The module is being tested and not offered yet."),
        ),
        (
            {"catalogue": catalogue(trends={"status": "development"})},
            (5, "The module is in development and not offered yet."),
        ),
        ({"catalogue": catalogue(trends={"status": "retired"})}, (5, "The module is retired and no longer offered.")),
        (
            {"catalogue": catalogue(trends={"plan": "enterprise"})},
            (6, "The module needs the Enterprise plan; the organisation has Basic."),
        ),
        ({"entitled": frozenset()}, (6, "The organisation is not entitled to the module at this time.")),
        (
            {"catalogue": catalogue(prices={"status": "retired"})},
            (7, "It needs Prices. The module is retired and no longer offered."),
        ),
        ({"applications": frozenset()}, (8, "The person has not been given Market Edge.")),
        (
            {"seat": Seat(PERSON, Organisation(), Role.VIEWER, Membership(pk=1))},
            (8, "The module asks for the role Analyst; the person's is Viewer."),
        ),
    ],
)
def test_the_first_rung_that_fails_decides(changes, expected):
    assert answer(facts(**changes)) == expected


def test_a_module_without_code_is_not_installed():
    assert answer(facts(), "gone") == (4, "The module is not installed.")


def test_a_core_module_needs_no_entitlement():
    assert answer(facts(entitled=frozenset()), "prices")[0] is None


def test_a_module_under_test_opens_for_staff_with_a_notice():
    known = facts(person=person(is_staff=True), catalogue=catalogue(trends={"status": "testing"}))

    assert access.decide(known, "trends").notice == "This module is being tested: only staff see it."


def test_a_deprecated_module_still_opens_with_a_notice():
    decision = access.decide(facts(catalogue=catalogue(trends={"status": "deprecated"})), "trends")

    assert (decision.is_open, decision.notice) == (True, "This module is deprecated and will be retired.")


def test_rungs_after_the_deciding_one_are_not_reached():
    states = [rung.state for rung in access.decide(facts(seat=None), "trends").rungs]

    assert states == ["passed", "failed", *["not reached"] * 7]


def test_a_flag_that_is_off_closes_the_module(monkeypatch):
    monkeypatch.setitem(registry._specs, "prices", replace(SPECS["prices"], flag="prices_v2"))
    monkeypatch.setattr(access.flags, "explain", lambda *_, **__: SimpleNamespace(is_on=False, sentence="killed."))

    assert answer(facts(), "prices") == (9, "The flag prices_v2 is off: killed.")


def test_flags_learn_which_modules_the_organisation_has():
    known = facts(catalogue=catalogue(trends={"status": "retired"}))

    assert access.flag_context(known).entitled_modules == {"prices"}
