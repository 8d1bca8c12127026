"""Composite keys: no row leads to another organisation's, whatever wrote it."""

import pytest
from django.db import IntegrityError, connection, transaction

from modules.models import ApplicationGrant
from tenants import scope
from tenants.models import Membership
from tests.factories import make_member, make_organisation

pytestmark = pytest.mark.django_db


def membership_in(organisation) -> Membership:
    user = make_member(organisation, applications=[])
    with scope.login():
        return Membership.objects.get(user=user)


def grant_now(organisation, membership: Membership) -> None:
    """Save, and check the keys at once instead of at the end of the transaction."""
    ApplicationGrant(organisation=organisation, membership_id=membership.pk, application="market_edge").save()
    connection.check_constraints()


@pytest.mark.parametrize("enter", [lambda own: scope.organisation(own.pk), lambda own: scope.platform()])
def test_a_forged_foreign_key_is_refused(enter):
    ours, theirs = make_organisation(), make_organisation()
    neighbour = membership_in(theirs)

    with enter(ours), pytest.raises(IntegrityError, match="application_grant_membership"), transaction.atomic():
        grant_now(ours, neighbour)


def test_a_true_foreign_key_is_accepted():
    ours = make_organisation()
    own = membership_in(ours)

    with scope.organisation(ours.pk), transaction.atomic():
        grant_now(ours, own)

        assert ApplicationGrant.objects.count() == 1
