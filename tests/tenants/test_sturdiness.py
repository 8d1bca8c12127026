"""The admin site answers anything with a clear page, never a 500."""

import pytest

from tests.factories import make_module, make_organisation, make_superuser, make_user

pytestmark = pytest.mark.django_db
IMPOSSIBLE = ["abc", "-1", "9" * 30, "\x00", "😀", "1e400", "[]", "'"]
ADDING = [
    "tenants/membership",
    "accounts/invitation",
    "modules/entitlement",
    "modules/applicationgrant",
    "flags/flagoverride",
]
ACTING = {
    "tenants/organisation": "suspend",
    "accounts/user": "deactivate",
    "flags/flag": "kill",
    "accounts/invitation": "withdraw",
}


@pytest.fixture(autouse=True)
def superuser(client):
    client.force_login(make_superuser())


@pytest.mark.parametrize("value", IMPOSSIBLE)
@pytest.mark.parametrize("model", ADDING)
def test_an_address_that_chooses_the_impossible_shows_the_empty_form(client, model, value):
    chosen = dict.fromkeys(
        ["organisation", "user", "module", "membership", "flag", "person", "starts_at", "expires_at"], value
    )

    response = client.get(f"/admin/{model}/add/", chosen)

    assert response.status_code == (400 if "\x00" in value else 200)


def test_an_address_that_chooses_a_row_has_it_chosen(client):
    organisation = make_organisation("Lumen")

    page = client.get("/admin/tenants/membership/add/", {"organisation": organisation.pk}).content.decode()

    assert f'<option value="{organisation.pk}" selected>Lumen</option>' in page


@pytest.mark.parametrize("value", IMPOSSIBLE)
@pytest.mark.parametrize("model", ADDING)
def test_a_form_that_chooses_the_impossible_is_shown_again_with_its_error(client, model, value):
    fields = ["organisation", "user", "module", "membership", "flag", "person", "role", "email", "application"]

    response = client.post(f"/admin/{model}/add/", dict.fromkeys(fields, value))

    assert (response.status_code, "Please correct the error" in response.content.decode()) == (200, True)


@pytest.mark.parametrize("value", IMPOSSIBLE)
@pytest.mark.parametrize("model", ACTING)
def test_ticking_the_impossible_touches_nothing(client, model, value):
    make_organisation()
    make_user()
    make_module("extra")

    ticked = {"action": ACTING[model], "_selected_action": [value]}
    response = client.post(f"/admin/{model}/", ticked, follow=True)

    assert (response.status_code, "must be selected" in response.content.decode()) == (200, True)


@pytest.mark.parametrize(
    "query",
    [
        "status=%00",
        "occurred_at__year=99999999999999999999999",
        "occurred_at__month=x",
        "what=%00",
        "occurred_at__day=-1",
        "action__regex=((",
        "occurred_at__year=0",
        "occurred_at__year=9999",
        "occurred_at__year__gte=99999999999999999999999",
        "occurred_at__iso_year=9999",
        "id__range=1",
        "action__range=one,two,three",
    ],
)
def test_a_list_that_cannot_be_searched_is_a_clear_400(client, query):
    assert client.get(f"/admin/tenants/auditevent/?{query}").status_code == 400


def test_a_row_that_is_looked_up_by_no_field_is_a_clear_400(client):
    address = f"/admin/tenants/organisation/{make_organisation().pk}/change/"

    assert [client.get(f"{address}?_to_field{to}").status_code for to in ("=", "=id&_to_field=")] == [400, 400]


@pytest.mark.parametrize("term", ["%00", "x"])
def test_choices_are_searched_for_anything_or_refused(client, term):
    asked = f"app_label=tenants&model_name=membership&field_name=organisation&term={term}&page=1"

    assert client.get(f"/admin/autocomplete/?{asked}").status_code in {200, 400}


def test_no_page_leads_from_any_id_to_an_address(client):
    assert client.get("/admin/r/8/1/").status_code == 404
