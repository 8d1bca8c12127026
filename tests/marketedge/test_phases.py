"""What the start went through: measured, kept once, and said when it was slow."""

import logging

import pytest

from marketedge import phases as module
from marketedge.phases import FIRST_CONTACT, LOADING, Phases, phases, seconds_since_start


def test_a_phase_is_kept_with_what_it_consisted_of():
    seen = Phases()

    with seen.measure("modules") as detail:
        detail["market_edge_core"] = 0.01

    (told,) = seen.told()
    assert (told["name"], told["detail"], told["slow"]) == ("modules", {"market_edge_core": 0.01}, False)


def test_a_phase_is_kept_as_it_was_the_first_time():
    seen = Phases()

    seen.note("database", 1.5)
    seen.note("database", 0.1)

    assert [phase["seconds"] for phase in seen.told()] == [1.5]


def test_a_phase_that_fails_is_not_over():
    seen = Phases()

    with pytest.raises(ZeroDivisionError), seen.measure("settings"):
        raise ZeroDivisionError

    assert "settings" in seen.missing


@pytest.mark.parametrize(("seconds", "warnings"), [(2.0, []), (2.1, ["The start was slow: url_map took 2.1 seconds."])])
def test_a_slow_phase_warns(caplog, seconds, warnings):
    Phases().note("url_map", seconds)

    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == warnings


def test_all_phases_have_to_be_over():
    seen = Phases()

    for name in (*LOADING, *FIRST_CONTACT):
        assert name in seen.missing
        seen.note(name, 0.1)

    assert seen.missing == []


def test_this_process_says_how_long_it_lives(monkeypatch):
    assert 0 < (seconds_since_start() or 0) < 3600

    monkeypatch.setattr(module.Path, "read_text", lambda *_: "nothing that can be read")
    assert seconds_since_start() is None


def test_the_product_has_measured_its_own_loading():
    from marketedge import wsgi  # noqa: F401 - loading is what is measured

    loaded = {phase["name"]: phase["detail"] for phase in phases.told()}

    assert set(LOADING) <= set(loaded)
    assert "market_edge_core" in loaded["modules"]
    assert {"tenants.apps.TenantsConfig", "modules.market_edge_core.apps.MarketEdgeCoreConfig"} <= set(
        loaded["applications"]
    )
