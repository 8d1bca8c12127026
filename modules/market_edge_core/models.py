"""Markets, the competitors in them, the prices that were seen there, and price files waiting to be loaded."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Count, F, Max, OuterRef, Q, Subquery
from django.db.models.functions import Lower
from django.utils import timezone

from tenants.models import TenantForeignKey, TenantManager, TenantOwned, TenantQuerySet
from tenants.row_security import Audited, SameOrganisation


class MarketQuerySet(TenantQuerySet):
    def named_like(self, text: str) -> Self:
        return self.filter(name__icontains=text) if text else self

    def in_reading_order(self) -> Self:
        return self.order_by(Lower("name"), "pk")

    def with_counts(self) -> Self:
        """Adds competitor_count, observation_count and latest_at, in subqueries: a page counts its own rows only."""
        competitors = Competitor.objects.filter(market=OuterRef("pk"))
        observations = PriceObservation.objects.filter(competitor__market=OuterRef("pk"))
        return self.annotate(
            competitor_count=_of_market(competitors, "market", Count("pk")),
            observation_count=_of_market(observations, "competitor__market", Count("pk")),
            latest_at=_of_market(observations, "competitor__market", Max("collected_at")),
        )


def _of_market(rows: TenantQuerySet, market: str, figure: Any) -> Subquery:
    return Subquery(rows.order_by().values(market).annotate(figure=figure).values("figure"))


MarketManager = TenantManager.from_queryset(MarketQuerySet)


class Market(TenantOwned):
    """A place or segment in which competitors' prices are compared."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    geography = models.CharField(max_length=200, blank=True)
    products_tracked = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[Any] = MarketManager()

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint("organisation", Lower("name"), name="market_name_is_unique_in_any_case"),
            models.CheckConstraint(condition=~Q(name=""), name="market_has_a_name"),
            Audited(name="market_is_audited"),
        ]

    def __str__(self) -> str:
        return self.name


class Competitor(TenantOwned):
    """A business whose prices are watched in one market; the same business in two markets is two rows."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    market = TenantForeignKey(Market, on_delete=models.PROTECT, related_name="competitors")
    name = models.CharField(max_length=200)
    business_type = models.CharField(max_length=100, blank=True)
    website = models.URLField(blank=True)
    locations = models.TextField(blank=True)
    tracking_priority = models.PositiveSmallIntegerField(
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text="1 (watch first) to 5 (watch last).",
    )
    market_share = models.DecimalField(
        "market share estimate", max_digits=5, decimal_places=2, null=True, blank=True, help_text="In per cent."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            SameOrganisation(field="market", name="competitor_market"),
            models.UniqueConstraint(
                "organisation", "market", Lower("name"), name="competitor_name_is_unique_in_its_market"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="competitor_has_a_name"),
            models.CheckConstraint(
                condition=Q(tracking_priority__range=(1, 5)), name="competitor_priority_is_one_to_five"
            ),
            models.CheckConstraint(
                condition=Q(market_share=None) | Q(market_share__range=(0, 100)),
                name="competitor_market_share_is_a_percentage",
            ),
            Audited(name="competitor_is_audited"),
        ]

    def __str__(self) -> str:
        return self.name


class PriceObservationQuerySet(TenantQuerySet):
    def of_market(self, market: Market) -> Self:
        return self.filter(competitor__market=market)

    def products(self) -> list[str]:
        return list(self.order_by("product").values_list("product", flat=True).distinct())


PriceObservationManager = TenantManager.from_queryset(PriceObservationQuerySet)


class PriceObservation(TenantOwned):
    """One price that a competitor asked for a product at one moment."""

    competitor = TenantForeignKey(Competitor, on_delete=models.PROTECT, related_name="observations")
    product = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3, help_text="Three capital letters (ISO 4217), for example GBP.")
    collected_at = models.DateTimeField(help_text="In UTC.")
    source = models.CharField(max_length=200, blank=True)
    is_promotion = models.BooleanField(default=False)
    promotion_details = models.CharField(max_length=500, blank=True)

    objects: ClassVar[Any] = PriceObservationManager()

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            SameOrganisation(field="competitor", name="price_observation_competitor"),
            models.UniqueConstraint(
                fields=["organisation", "competitor", "product", "collected_at"],
                name="price_observation_is_one_per_moment",
            ),
            models.CheckConstraint(condition=~Q(product=""), name="price_observation_has_a_product"),
            models.CheckConstraint(condition=Q(price__gte=0), name="price_observation_price_is_not_negative"),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="price_observation_currency_is_three_letters"
            ),
        ]
        indexes = [
            # The statistics read one currency and period of a market's competitors, from the index alone.
            models.Index(
                fields=["organisation", "competitor", "currency", "collected_at"],
                include=["product", "price"],
                name="price_observation_statistics",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product}: {self.price} {self.currency} on {self.collected_at:%Y-%m-%d}"


class PriceUploadQuerySet(TenantQuerySet):
    def applied(self) -> Self:
        return self.filter(applied_at__isnull=False).select_related("uploaded_by").order_by("-applied_at", "-pk")

    def waiting(self, *, at: datetime) -> Self:
        """Neither loaded nor too old to be."""
        return self.filter(applied_at=None, expires_at__gt=at)

    def expired(self, *, at: datetime) -> Self:
        return self.filter(applied_at=None, expires_at__lte=at)

    def without_content(self) -> Self:
        return self.defer("content")


PriceUploadManager = TenantManager.from_queryset(PriceUploadQuerySet)


class PriceUpload(TenantOwned):
    """A price file that somebody uploaded: first to look at, then, if they confirm in time, loaded as it is.

    A file that was loaded stays as the record of the load, without its content.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict, help_text="What the load did: filled when it is applied.")

    objects: ClassVar[Any] = PriceUploadManager()

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="price_upload_hash_is_sha256"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="price_upload_expires_after_it_is_made"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def changed_nothing(self) -> bool:
        return not (self.counts.get("new") or self.counts.get("corrected"))

    def is_expired(self, *, at: datetime) -> bool:
        return self.applied_at is None and self.expires_at <= at
