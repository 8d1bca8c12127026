"""Changes to markets and prices: each one action, one transaction, one audit line."""

import hashlib
from datetime import timedelta
from typing import Any

from django.db import OperationalError, connection
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from modules.market_edge_core import on_record, preview
from modules.market_edge_core.csv_file import Unreadable
from modules.market_edge_core.models import Competitor, Market, PriceUpload
from modules.market_edge_core.on_record import Moment
from modules.market_edge_core.preview import Preview
from tenants import audit
from tenants.models import Organisation

KEPT_FOR = timedelta(hours=2)


class LoadRefused(Exception):
    """The file was not loaded, and nothing was changed; the message says why and what to do."""


def create_market(market: Market, *, by: Any, reason: str = "") -> Market:
    with audit.action("market.created", by=by, organisation=market.organisation, reason=reason):
        market.save(force_insert=True)
    return market


def keep_upload(organisation: Organisation, *, name: str, content: bytes, by: Any) -> PriceUpload:
    """Keep a file for its preview; files that nobody confirmed in time go. No event: nothing is loaded yet."""
    now = timezone.now()
    organisation.priceuploads.expired(at=now).delete()
    return organisation.priceuploads.create(
        name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
        uploaded_by=by,
        created_at=now,
        expires_at=now + KEPT_FOR,
    )


def discard_upload(upload: PriceUpload) -> None:
    """Delete a preview; a file that was loaded stays as the record of its load."""
    type(upload).objects.filter(pk=upload.pk, applied_at=None).delete()


def apply_upload(upload: PriceUpload, *, sha256: str, by: Any) -> PriceUpload:
    """Load exactly the file with this hash, all of it or nothing; raises LoadRefused."""
    organisation = upload.organisation
    with audit.action("prices.loaded", by=by, organisation=organisation, file=upload.name, sha256=sha256) as event:
        _wait_for_other_loads(organisation)
        upload = _locked(upload)
        content = _confirmed_content(upload, sha256)
        found = _inspect(content, organisation)
        _save(found, organisation)
        event.data["counts"] = upload.counts = found.counts
        upload.applied_at, upload.content = timezone.now(), b""
        upload.save(update_fields=["applied_at", "content", "counts"])
    return upload


def _wait_for_other_loads(organisation: Organisation) -> None:
    """One load at a time in an organisation, until the transaction ends: two that overlap would block each other."""
    try:
        with connection.cursor() as cursor:
            name = f"{PriceUpload._meta.label}:{organisation.pk}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
    except OperationalError as problem:
        if isinstance(problem.__cause__, LockNotAvailable):
            raise LoadRefused("Another file is being loaded at the moment. Try again in a minute.") from problem
        raise


def _locked(upload: PriceUpload) -> PriceUpload:
    """The row as it is now, which nobody else may change before the transaction ends."""
    locked = PriceUpload.objects.select_for_update().filter(pk=upload.pk).first()
    if locked is None:
        raise LoadRefused("This preview was discarded. Upload the file again.")
    return locked


def _confirmed_content(upload: PriceUpload, sha256: str) -> bytes:
    """The file's bytes, if they are still those that were looked at."""
    if upload.applied_at:
        raise LoadRefused("This file has already been loaded.")
    if upload.is_expired(at=timezone.now()):
        raise LoadRefused("The preview is too old. Upload the file again.")
    content = bytes(upload.content)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise LoadRefused("The file is not the one that was previewed. Upload it again.")
    return content


def _inspect(content: bytes, organisation: Organisation) -> Preview:
    try:
        found = preview.inspect(content, organisation=organisation, now=timezone.now())
    except Unreadable as problem:
        raise LoadRefused(str(problem)) from problem
    if found.problems:
        raise LoadRefused("The file has rows that cannot be loaded. Correct them and upload it again.")
    return found


def _save(found: Preview, organisation: Organisation) -> None:
    markets = _create_markets(found, organisation)
    competitors = _create_competitors(found, organisation, markets)
    for batch in preview.batches({**found.new, **found.corrected}.items()):
        observations = [(Moment(competitors[key[:2]], *key[2:]), price.offer) for key, price in batch]
        on_record.save(organisation, observations)


def _create_markets(found: Preview, organisation: Organisation) -> dict[str, int]:
    """Ids of all markets of the file, by folded name."""
    new = [Market(organisation=organisation, name=name) for name in found.new_markets.values()]
    made = Market.objects.bulk_create(new)
    return found.market_ids | {name: market.pk for name, market in zip(found.new_markets, made, strict=True)}


def _create_competitors(
    found: Preview, organisation: Organisation, markets: dict[str, int]
) -> dict[tuple[str, str], int]:
    """Ids of all competitors of the file, by the folded names of market and competitor."""
    new = [
        Competitor(organisation=organisation, market_id=markets[market], name=price.competitor)
        for (market, _), price in found.new_competitors.items()
    ]
    made = Competitor.objects.bulk_create(new)
    return found.competitor_ids | {key: made.pk for key, made in zip(found.new_competitors, made, strict=True)}
