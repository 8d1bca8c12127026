"""How was a flag used: when, with which answers, by which rung, in which organisations? When was each last used?"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from modules.flags.exposure.counting import NOT_TOLD_APART
from modules.flags.exposure.periods import Period
from modules.flags.models import Flag, FlagExposure
from tenants.models import Organisation

Answered = tuple[bool, str]  # whether it was on, and the variant


@dataclass(frozen=True)
class Use:
    """Evaluations of one flag in a period. `over_time` has a row for each step, with a number for each of `answers`."""

    answers: list[Answered]
    over_time: list[tuple[datetime, list[int]]]
    by_answer: Counter[Answered]
    by_rung: Counter[tuple[int, bool]]

    @property
    def total(self) -> int:
        return self.by_answer.total()

    @property
    def on(self) -> int:
        return sum(times for (is_on, _), times in self.by_answer.items() if is_on)


@dataclass(frozen=True)
class UseOfOrganisation:
    name: str
    on: int
    off: int
    last_hour: datetime

    @property
    def total(self) -> int:
        return self.on + self.off


def last_evaluated() -> dict[str, datetime]:
    """The beginning of the last hour in which each flag was used, by key; without those that were not. One query."""
    newest = FlagExposure.objects.filter(flag_key=OuterRef("key")).order_by("-hour").values("hour")[:1]
    found = Flag.objects.order_by("key").values_list("key", Subquery(newest))
    return {key: hour for key, hour in found if hour is not None}


def last_hour_of(key: str) -> datetime | None:
    """The beginning of the last hour in which this flag was used, as far as rows are kept."""
    return FlagExposure.objects.filter(flag_key=key).aggregate(newest=Max("hour"))["newest"]


def use_of(key: str, period: Period, *, at: datetime) -> Use:
    """One query."""
    beginnings = period.beginnings(at=at)
    rows = (
        FlagExposure.objects.of(key, since=beginnings[0])
        .annotate(step=period.truncated)
        .values_list("step", "is_on", "variant", "rung")
        .annotate(times=Sum("count"))
        .order_by("step", "rung", "is_on", "variant")
    )
    by_step: Counter[tuple[datetime, Answered]] = Counter()
    by_answer: Counter[Answered] = Counter()
    by_rung: Counter[tuple[int, bool]] = Counter()
    for step, is_on, variant, rung, times in rows:
        by_step[step, (is_on, variant)] += int(times)
        by_answer[is_on, variant] += int(times)
        by_rung[rung, is_on] += int(times)
    answers = sorted(by_answer, key=lambda answer: (not answer[0], answer[1] != "on", answer[1]))
    over_time = [(step, [by_step[step, answer] for answer in answers]) for step in beginnings]
    return Use(answers, over_time, by_answer, by_rung)


def organisations_using(key: str, period: Period, *, at: datetime, named: str = "") -> QuerySet[Any]:
    """Public ids with their sums, the most evaluations first; `named` is a part of the organisation's name."""
    rows = FlagExposure.objects.of(key, since=period.beginnings(at=at)[0])
    if named:
        found = Organisation.objects.filter(name__icontains=named).values("public_id")
        rows = rows.filter(organisation_public_id__in=found)
    return (
        rows.values("organisation_public_id")
        .annotate(
            on=Coalesce(Sum("count", filter=Q(is_on=True)), 0),
            off=Coalesce(Sum("count", filter=Q(is_on=False)), 0),
            all=Sum("count"),
            last_hour=Max("hour"),
        )
        .order_by("-all", "organisation_public_id")
    )


def with_names(sums: Iterable[dict[str, Any]]) -> list[UseOfOrganisation]:
    """One query for the names of all of them."""
    listed = list(sums)
    ids = [row["organisation_public_id"] for row in listed]
    names: dict[Any, str] = dict(Organisation.objects.filter(public_id__in=ids).values_list("public_id", "name"))
    names |= {None: "Outside of organisations", UUID(NOT_TOLD_APART): "Organisations that were not told apart"}
    return [
        UseOfOrganisation(
            names.get(row["organisation_public_id"], "An organisation that is gone"),
            int(row["on"]),
            int(row["off"]),
            row["last_hour"],
        )
        for row in listed
    ]
