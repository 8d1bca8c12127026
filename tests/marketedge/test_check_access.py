"""`check_access`: a route that is forgotten, doubled or open by mistake is found, and a person's view is explained."""

import io
import json

import pytest
from django.contrib.auth.decorators import login_not_required
from django.core.management import CommandError, call_command
from django.views.decorators.csrf import csrf_exempt

from marketedge import routes
from marketedge.routes import INSIDE, Route, all_routes, examine
from tests.factories import make_member, make_organisation, make_superuser, make_user, offer_market_edge_core


def closed(request):
    """A view that asks for a sign-in, as all do by themselves."""


@login_not_required
def opened(request):
    """A view that asks for nothing."""


@csrf_exempt
def careless(request):
    """A view that takes other sites' forms."""


MODULE = f"{INSIDE}market-edge-core/"


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (Route("forgotten/", closed), "/forgotten/ is on 0 lists (none names it)"),
        (Route(f"{INSIDE}forgotten/", closed), f"/{INSIDE}forgotten/ is on 0 lists (none names it)"),
        (Route("organisations/", closed), "/organisations/ is there 2 times"),
        (Route("o/<slug:other_name>/", closed), "/o/<slug:>/ is there 2 times"),
        (Route("admin/extra/", closed), "/admin/extra/ is in the admin site and does not ask for staff"),
        (Route(f"{MODULE}extra/", closed), f"/{MODULE}extra/ lies below the module market_edge_core and past its gate"),
        (
            Route(f"{MODULE}extra/", closed, ("outer", "market_edge_core")),
            f"/{MODULE}extra/ lies below the module market_edge_core and past its gate",
        ),
        (Route(f"{MODULE}extra/", opened, ("market_edge_core",)), f"/{MODULE}extra/ is open to anybody"),
        (
            Route(f"{MODULE}extra/", careless, ("market_edge_core",)),
            f"/{MODULE}extra/ takes forms of other sites (csrf_exempt)",
        ),
    ],
)
def test_an_extra_route_that_does_not_fit_is_said(route, words):
    report = examine([*all_routes(), route])

    assert words in [finding.says for finding in report.findings if finding.state == "problem"]


def replaced(path: str, view) -> list[Route]:
    return [Route(path, view) if route.path == path else route for route in all_routes()]


@pytest.mark.parametrize(
    ("path", "view", "words"),
    [
        ("organisations/", opened, "/organisations/ is open to anybody"),
        ("sign-in/", closed, "/sign-in/ is listed for anybody and asks for a sign-in"),
        ("sign-out/", careless, "/sign-out/ takes forms of other sites (csrf_exempt)"),
    ],
)
def test_a_view_that_is_not_marked_as_its_list_says_is_found(path, view, words):
    report = examine(replaced(path, view))

    assert words in [finding.says for finding in report.findings if finding.state == "problem"]


def test_a_route_on_two_lists_is_said(monkeypatch):
    monkeypatch.setattr("marketedge.routes.SIGNED_IN", {*routes.SIGNED_IN, "sign-in/"})

    assert [finding.says for finding in examine(all_routes()).findings] == [
        "/sign-in/ is on 2 lists (anybody, signed in)"
    ]


def test_a_list_that_names_a_route_that_is_gone_is_said():
    left = [route for route in all_routes() if route.path != "signed-out/"]

    assert [finding.says for finding in examine(left).findings] == ["/signed-out/ is listed and does not exist"]


@pytest.mark.parametrize(
    "gate",
    [
        "django.middleware.csrf.CsrfViewMiddleware",
        "accounts.middleware.SignInRequiredMiddleware",
        "tenants.middleware.OrganisationMiddleware",
        "accounts.middleware.PlatformScopeMiddleware",
        "modules.middleware.ModuleGateMiddleware",
    ],
)
def test_a_gate_that_is_taken_out_is_said(settings, gate):
    settings.MIDDLEWARE = [entry for entry in settings.MIDDLEWARE if entry != gate]

    assert [finding.says for finding in examine(all_routes()).findings] == [f"{gate} is not in MIDDLEWARE"]


def test_gates_in_another_order_are_said(settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:-3], *reversed(settings.MIDDLEWARE[-3:])]

    assert [finding.subject for finding in examine(all_routes()).findings] == ["gates"]


def told(*arguments: str) -> dict:
    output = io.StringIO()
    call_command("check_access", "--json", *arguments, stdout=output)
    return json.loads(output.getvalue())


def test_the_whole_product_is_told_without_a_database():
    answer = told("--offline")

    assert (answer["exit"], len(answer["routes"])) == (0, len(all_routes()))
    assert {"path": f"/{MODULE}load/", "for": ["module"], "role": "analyst"} in answer["routes"]


@pytest.fixture
def lumen(db):
    offer_market_edge_core()
    return make_organisation("Lumen")


def closed_for(person, organisation) -> dict[str, str]:
    rows = told("--email", person.email, "--organisation", organisation.slug)["routes"]
    return {row["path"]: row["closed_because"] for row in rows}


def test_a_viewer_is_told_what_asks_for_a_stronger_role(lumen):
    told_of = closed_for(make_member(lumen, "viewer"), lumen)

    assert (told_of[f"/{MODULE}"], told_of[f"/{MODULE}load/"], told_of["/admin/"]) == (
        "",
        "It asks for the role Analyst; the person's is Viewer.",
        "The admin site is for staff.",
    )


def test_the_reason_of_the_module_is_given(lumen):
    told_of = closed_for(make_member(lumen, "admin", applications=[]), lumen)

    assert told_of[f"/{MODULE}"] == "The person has not been given Market Edge."


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda lumen: make_user(), "The person does not belong to the organisation."),
        (lambda lumen: make_member(make_organisation(), "admin"), "The person does not belong to the organisation."),
        (lambda lumen: make_member(lumen, is_active=False), "The person's account is deactivated."),
        (lambda lumen: make_superuser(), ""),
    ],
)
def test_who_has_no_seat_is_told_so(lumen, make, words):
    assert closed_for(make(lumen), lumen)[f"/{INSIDE}"] == words


@pytest.mark.django_db
def test_a_suspended_organisation_is_closed_for_its_people():
    organisation = make_organisation(status="suspended")

    assert closed_for(make_member(organisation), organisation)[f"/{INSIDE}"] == "The organisation is suspended."


@pytest.mark.django_db
@pytest.mark.parametrize(
    "arguments",
    [
        ["--email", "a@example.com"],
        ["--email", "", "--organisation", ""],
        ["--email", ""],
        ["--organisation", "lumen"],
        ["--email", "nobody@example.com", "--organisation", "lumen"],
    ],
)
def test_half_a_question_or_an_unknown_person_is_bad_usage(arguments):
    with pytest.raises(CommandError) as refused:
        told(*arguments)

    assert refused.value.returncode == 2
