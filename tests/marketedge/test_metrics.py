"""/metrics: for who has the token alone; what is counted, and under few names."""

import os
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from marketedge import metrics
from marketedge.admission import REFUSED
from marketedge.phases import FIRST_CONTACT, LOADING, Phases
from marketedge.readiness import PROBLEMS, Readiness
from modules.flags.exposure import flushing
from modules.flags.exposure.flushing import Flusher
from modules.flags.watching import State
from tenants.postgresql import waits
from tests.modules.flags.uses import note

TOKEN = "only-prometheus-knows-this"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Told:
    """A prober that tells what it was given."""

    def __init__(self, problems: dict[str, str], warnings: dict[str, str]) -> None:
        self.told = Readiness(problems, warnings)

    def answer(self) -> Readiness:
        return self.told


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What readiness is said to be, and which phases of the start are over."""

    def said(problems: dict[str, str], over: tuple[str, ...] = (*LOADING, *FIRST_CONTACT), **warnings: str) -> None:
        phases = Phases()
        for name in over:
            phases.note(name, 0.5, **({"market_edge_core": 0.25} if name == "modules" else {"known": 3}))
        monkeypatch.setattr(metrics, "phases", phases)
        monkeypatch.setattr(metrics, "prober", Told(problems, warnings))

    return said


@pytest.fixture
def measured(settings: Any, monkeypatch: pytest.MonkeyPatch, say: Any) -> Client:
    """A browser at a product that counts from zero, in memory."""
    settings.METRICS_TOKEN = TOKEN
    settings.ROOT_URLCONF = "tests.marketedge.breaking_urls"
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    monkeypatch.setattr(metrics, "_instruments", None)
    monkeypatch.setattr(waits, "listener", waits.listener)
    say({})
    return Client(raise_request_exception=False, headers={"X-Forwarded-Proto": "https"})


def samples(client: Client) -> dict[tuple[str, ...], float]:
    """Name and label values of everything that /metrics tells."""
    text = client.get("/metrics", headers=BEARER).content.decode()
    return {
        (sample.name.removeprefix("marketedge_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer \xfc"],
)
def test_without_the_token_there_is_nothing_at_the_address(measured, authorization):
    response = measured.get("/metrics", headers={"Authorization": authorization})

    nothing = measured.get("/nothing")
    assert (response.status_code, response.content) == (404, nothing.content)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", f"Bearer {TOKEN}"])
def test_while_no_token_is_set_there_is_nothing_at_the_address(client, settings, authorization):
    settings.METRICS_TOKEN = ""

    response = client.get("/metrics", headers={"Authorization": authorization})

    assert response.status_code == 404


def test_who_has_the_token_reads_them_in_prometheus_format(measured):
    response = measured.get("/metrics", headers=BEARER)

    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_a_token_may_hold_any_sign(measured, settings):
    settings.METRICS_TOKEN = "schl\u00fcssel-zu-den-zahlen"
    as_a_server_hands_it_on = settings.METRICS_TOKEN.encode().decode("latin-1")

    response = measured.get("/metrics", headers={"Authorization": f"Bearer {as_a_server_hands_it_on}"})

    assert response.status_code == 200


def test_they_are_answered_on_any_host_without_session_redirect_or_room(measured):
    crowded = {"headers": {**BEARER, "host": "10.1.2.3:8000", "X-Forwarded-Proto": "http"}, REFUSED: True}

    response = measured.get("/metrics", **crowded)

    assert (response.status_code, list(response.cookies)) == (200, [])


def test_they_are_answered_while_the_database_is_away(measured, say):
    say({"database": "it does not answer in time"}, over=LOADING)

    told = samples(measured)

    assert (told[("ready",)], told[("started",)], told[("flags_loaded",)], told[("flags",)]) == (0, 0, 0, 0)
    assert {name: told[("readiness_problem", name)] for name in PROBLEMS} == {
        "database": 1,
        "login": 0,
        "migrations": 0,
        "probe": 0,
    }


def test_nothing_is_sent_to_them(measured):
    response = measured.post("/metrics", headers=BEARER)

    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")


def test_the_start_readiness_flags_and_release_are_told(measured, say, settings, flag_store):
    flag_store.says(State(7, 3, "database", True, 9.5, "the database does not answer"))
    say({}, clock="60 seconds behind")

    told = samples(measured)

    assert told[("build_info", "0000000", settings.RELEASE_VERSION)] == 1
    assert {told[("startup_phase_seconds", name)] for name in (*LOADING, *FIRST_CONTACT)} == {0.5}
    assert told[("startup_module_seconds", "market_edge_core")] == 0.25
    assert (told[("started",)], told[("ready",)], told[("readiness_warning", "clock")]) == (1, 1, 1)
    assert (told[("flags_loaded",)], told[("flags",)]) == (1, 3)
    assert (told[("flags_release",)], told[("flags_stale",)], told[("flags_seconds_since_look",)]) == (7, 1, 9.5)


def test_use_of_flags_that_could_not_be_written_is_told_as_a_number_alone(measured, say, monkeypatch):
    flusher = Flusher()
    monkeypatch.setattr(flushing, "flusher", flusher)
    monkeypatch.setattr(Flusher, "_write", lambda flusher: None)
    note("wanted", "6f9619ff-8b86-4d01-b42d-00cf4fc964f1")
    say({})

    flusher.flush()

    assert samples(measured)[("flags_use_waiting",)] == 1
    assert "6f9619ff" not in measured.get("/metrics", headers=BEARER).content.decode()


@pytest.mark.parametrize(
    ("path", "labels"),
    [
        ("/works/", ("GET", "works", "2xx")),
        ("/breaks/", ("GET", "breaks", "5xx")),
        ("/o/lumen/", ("GET", "dashboard", "3xx")),
        ("/nothing/at/all", ("GET", "unmatched", "4xx")),
        ("/another/nothing", ("GET", "unmatched", "4xx")),
        ("/healthz/live", ("GET", "/healthz/live", "2xx")),
    ],
)
def test_a_request_is_counted_under_its_route(measured, path, labels):
    measured.get(path)

    counted = {name[1:] for name in samples(measured) if name[0] == "http_request_duration_seconds_count"}
    assert counted == {labels}


def test_its_seconds_are_measured(measured):
    measured.get("/works/")

    told = samples(measured)

    assert told[("http_request_duration_seconds_count", "GET", "works", "2xx")] == 1
    assert 0 < told[("http_request_duration_seconds_sum", "GET", "works", "2xx")] < 5


def test_an_answer_that_breaks_off_is_counted_as_that(measured, db):
    response = measured.get("/streams/")
    with pytest.raises(ZeroDivisionError):
        list(response)
    response.close()

    assert samples(measured)[("http_request_duration_seconds_count", "GET", "streams", "broken_off")] == 1


def test_methods_that_nobody_knows_are_one(measured):
    for method in ("ABC", "DEF"):
        measured.generic(method, "/works/")

    assert samples(measured)[("http_request_duration_seconds_count", "other", "works", "2xx")] == 2


def test_requests_in_progress_are_counted_until_they_are_over(measured):
    measured.get("/works/")
    measured.get("/breaks/")

    # The one that asks is in progress.
    assert samples(measured)[("http_requests_in_progress",)] == 1


def test_refusals_are_counted(measured):
    measured.get("/works/", **{REFUSED: True})

    told = samples(measured)

    assert (told[("http_requests_refused_total",)], told[("http_requests_in_progress",)]) == (1, 1)


def test_statements_and_faults_of_the_database_are_counted(measured, db):
    measured.get("/claim/x/")
    waits.listener.connected(0.1)
    waits.listener.fault("refused")

    told = samples(measured)

    assert told[("database_statement_duration_seconds_count",)] == 1
    assert told[("database_connections_opened_total",)] == 1
    assert told[("database_faults_total", "refused")] == 1


def test_without_a_token_nothing_is_counted(client, settings, monkeypatch):
    settings.METRICS_TOKEN = ""
    monkeypatch.setattr(waits, "listener", waits.listener)
    monkeypatch.setattr(metrics, "_instruments", None)

    client.get("/signed-out/")

    assert metrics._instruments is None
    assert isinstance(waits.listener, waits.Nobody)


def test_a_worker_counts_on_where_its_predecessor_stopped(tmp_path, monkeypatch, measured):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))

    for place in (0, 0, 1):
        monkeypatch.setattr(metrics, "_instruments", None)
        metrics.begin(place).refused.inc()

    assert samples(measured)[("http_requests_refused_total",)] == 3
    assert sorted({name.rpartition("_")[2] for name in os.listdir(tmp_path)}) == ["0.db", "1.db"]


def test_names_and_units_are_those_of_prometheus(measured):
    measured.get("/works/")

    text = measured.get("/metrics", headers=BEARER).content.decode()
    families = list(text_string_to_metric_families(text))

    assert [family.name for family in families if not family.name.startswith("marketedge_")] == []
    assert [family.name for family in families if not family.documentation] == []
    histograms = [family.name for family in families if family.type == "histogram"]
    assert [name for name in histograms if not name.endswith("_seconds")] == []
