"""The demonstration's prices."""

import pytest

from modules.market_edge_core import demonstration
from modules.market_edge_core.models import Competitor, Market, PriceObservation
from tenants import scope
from tenants.models import AuditEvent, Organisation
from tests.factories import make_organisation
from tests.modules.market_edge_core.factories import make_market

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours():
    """An organisation whose scope is entered."""
    organisation = make_organisation(industry="cinema")
    with scope.organisation(organisation.pk):
        yield organisation


def test_three_markets_are_filled(ours):
    demonstration.load(ours)

    assert Market.objects.count() == 3
    assert 15 <= Competitor.objects.count() <= 18
    assert PriceObservation.objects.count() == Competitor.objects.count() * 3 * 45


def test_a_second_run_changes_nothing(ours):
    demonstration.load(ours)
    before = list(PriceObservation.objects.order_by("pk").values()), AuditEvent.objects.count()

    demonstration.load(ours)

    assert (list(PriceObservation.objects.order_by("pk").values()), AuditEvent.objects.count()) == before


def test_an_organisation_with_its_own_markets_is_left_alone(ours):
    make_market(ours)

    demonstration.load(ours)

    assert (Market.objects.count(), PriceObservation.objects.count()) == (1, 0)


@pytest.mark.parametrize("industry", Organisation.Industry.values)
def test_every_industry_has_its_prices(industry):
    organisation = make_organisation(industry=industry)

    with scope.organisation(organisation.pk):
        demonstration.load(organisation)

        assert PriceObservation.objects.exists()
