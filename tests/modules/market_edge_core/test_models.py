"""What the database refuses, whoever writes."""

import pytest
from django.db import IntegrityError, connection, transaction

from modules.market_edge_core.models import Competitor, Market, PriceObservation
from tenants import scope
from tests.factories import make_organisation
from tests.modules.market_edge_core.factories import make_competitor, make_market, make_prices, make_upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def market():
    """A market, seen by the owner, whom row security does not hold back."""
    with scope.login():
        yield make_market(make_organisation(), "Harbour")


def test_a_market_name_is_taken_in_any_case(market):
    with pytest.raises(IntegrityError, match="market_name_is_unique_in_any_case"):
        make_market(market.organisation, "HARBOUR")


def test_another_organisation_may_use_the_name(market):
    assert make_market(make_organisation(), "Harbour").pk


def test_a_competitor_name_is_taken_in_its_market_in_any_case(market):
    make_competitor(market, "Rival")

    with pytest.raises(IntegrityError, match="competitor_name_is_unique_in_its_market"):
        make_competitor(market, "rival")


def test_the_same_competitor_may_be_in_another_market(market):
    make_competitor(market, "Rival")

    assert make_competitor(make_market(market.organisation), "Rival").pk


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"name": ""}, "competitor_has_a_name"),
        ({"tracking_priority": 0}, "competitor_priority_is_one_to_five"),
        ({"tracking_priority": 6}, "competitor_priority_is_one_to_five"),
        ({"market_share": 101}, "competitor_market_share_is_a_percentage"),
    ],
    ids=str,
)
def test_a_competitor_is_described_within_its_bounds(market, fields, rule):
    competitor = make_competitor(market)

    with pytest.raises(IntegrityError, match=rule):
        Competitor.unscoped.filter(pk=competitor.pk).update(**fields)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"product": ""}, "price_observation_has_a_product"),
        ({"price": "-0.01"}, "price_observation_price_is_not_negative"),
        ({"currency": "gbp"}, "price_observation_currency_is_three_letters"),
        ({"currency": "GB"}, "price_observation_currency_is_three_letters"),
    ],
    ids=str,
)
def test_a_price_is_kept_within_its_bounds(market, fields, rule):
    (observation,) = make_prices(make_competitor(market), 1)

    with pytest.raises(IntegrityError, match=rule):
        PriceObservation.unscoped.filter(pk=observation.pk).update(**fields)


def test_a_competitor_has_one_price_of_a_product_at_a_moment(market):
    competitor = make_competitor(market)
    make_prices(competitor, 1)

    with pytest.raises(IntegrityError, match="price_observation_is_one_per_moment"):
        make_prices(competitor, 2)


@transaction.atomic
def give_away(rows) -> None:
    rows.update(organisation=make_organisation())
    connection.check_constraints()


@pytest.mark.parametrize("model", [Competitor, PriceObservation])
def test_no_row_leads_to_another_organisations(market, model):
    make_prices(make_competitor(market), 1)

    with pytest.raises(IntegrityError, match="violates foreign key"):
        give_away(model.unscoped.all())


def test_the_hash_of_a_file_is_a_sha256(market):
    upload = make_upload(market.organisation)

    with pytest.raises(IntegrityError, match="price_upload_hash_is_sha256"):
        type(upload).unscoped.filter(pk=upload.pk).update(sha256="x" * 64)


@transaction.atomic
def delete_past_django(rows) -> None:
    rows._raw_delete("default")
    connection.check_constraints()


def test_a_market_with_competitors_is_not_deleted(market):
    make_competitor(market)

    with pytest.raises(IntegrityError, match="competitor_market"):
        delete_past_django(Market.unscoped.filter(pk=market.pk))
