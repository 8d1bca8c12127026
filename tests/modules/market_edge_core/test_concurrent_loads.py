"""Two people who load at the same moment, in two database sessions."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from modules.market_edge_core import actions
from modules.market_edge_core.models import Competitor, Market, PriceObservation, PriceUpload
from tenants import scope
from tests.factories import make_organisation
from tests.modules.market_edge_core.factories import ROW, csv_of, make_upload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ours():
    return make_organisation()


def load(upload: PriceUpload) -> str:
    """What was new, or the refusal."""
    try:
        with scope.organisation(upload.organisation_id):
            return f"{actions.apply_upload(upload, sha256=upload.sha256, by=None).counts['new']} new"
    except actions.LoadRefused as refusal:
        return str(refusal)


def load_impatiently(upload: PriceUpload) -> str:
    with scope.organisation(upload.organisation_id), connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
    return load(upload)


def in_other_sessions(work: Callable[[PriceUpload], str], *uploads: PriceUpload) -> list[str]:
    """The outcomes, sorted, of doing the work for all uploads at the same moment."""
    barrier = Barrier(len(uploads))

    def work_and_leave(upload: PriceUpload) -> str:
        try:
            barrier.wait()
            return work(upload)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(uploads)) as pool:
        return sorted(pool.map(work_and_leave, uploads))


def sizes(organisation) -> tuple[int, int, int]:
    with scope.organisation(organisation.pk):
        return Market.objects.count(), Competitor.objects.count(), PriceObservation.objects.count()


def test_a_file_confirmed_twice_at_once_is_loaded_once(ours):
    upload = make_upload(ours)

    outcomes = in_other_sessions(load, upload, upload)

    assert (outcomes, sizes(ours)) == (["1 new", "This file has already been loaded."], (1, 1, 1))


def test_two_files_with_the_same_new_market_are_both_loaded(ours):
    rows = [ROW.replace("01-05", f"01-{day:02}") for day in range(1, 21)]

    outcomes = in_other_sessions(load, make_upload(ours, csv_of(*rows)), make_upload(ours, csv_of(*reversed(rows))))

    assert (outcomes, sizes(ours)) == (["0 new", "20 new"], (1, 1, 20))


def test_a_load_that_waits_too_long_for_another_is_told_to_try_again(ours):
    upload = make_upload(ours)

    with scope.organisation(ours.pk), transaction.atomic():
        actions._wait_for_other_loads(ours)
        outcomes = in_other_sessions(load_impatiently, upload)

    refusal = "Another file is being loaded at the moment. Try again in a minute."
    assert (outcomes, sizes(ours)) == ([refusal], (0, 0, 0))
