"""What the list of flags can be narrowed to. Each choice is decided by the database."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from modules.flags.models import Flag, FlagOverride
from modules.flags.states import State

NONE = "-"  # the choice of those that have none


class StateFilter(admin.SimpleListFilter):
    """What the flag does now; due and scheduled say more of flags that are in one of the other states."""

    title = "state"
    parameter_name = "state"
    MORE: dict[str, Callable[[Any], Any]] = {
        State.SCHEDULED: lambda rows: rows.changing_by_themselves(timezone.now()),
        "due": lambda rows: rows.overdue(timezone.localdate()),
        "forced": lambda rows: rows.filter(key__in=list(settings.FLAGS_FORCED)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        forced = [("forced", "Forced by the operator")] if settings.FLAGS_FORCED else []
        return [*State.choices, ("due", "Due for review"), *forced]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        wanted = self.value()
        if wanted is None:
            return queryset
        if wanted in self.MORE:
            return self.MORE[wanted](queryset)
        return queryset.filter(state_now=wanted)


class _WordFilter(admin.SimpleListFilter):
    """The words that flags have in one field, and those that have none."""

    field = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = Flag.objects.exclude(**{self.field: ""}).order_by(self.field).values_list(self.field, flat=True)
        return [*((word, word) for word in rows.distinct()), (NONE, "none")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Flag]) -> QuerySet[Flag]:
        word = self.value()
        return queryset if word is None else queryset.filter(**{self.field: "" if word == NONE else word})


class ModuleFilter(_WordFilter):
    title = "module"
    parameter_name = "module"
    field = "module_key"


class OwnerFilter(_WordFilter):
    title = "owner"
    parameter_name = "owner"
    field = "owner"


class OverridesFilter(admin.SimpleListFilter):
    title = "overrides"
    parameter_name = "overrides"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "has some"), ("no", "has none")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "yes":
            return queryset.filter(overrides_counted__gt=0)
        return queryset.filter(overrides_counted=0) if self.value() == "no" else queryset


class AnswerFilter(admin.SimpleListFilter):
    """Overrides that turn their flag on, and those that turn it off."""

    title = "answer"
    parameter_name = "answer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("on", "on"), ("off", "off")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[FlagOverride]) -> QuerySet[FlagOverride]:
        if self.value() not in ("on", "off"):
            return queryset
        return queryset.filter(value=self.value() == "on")


class OrganisationFilter(admin.SimpleListFilter):
    """Flags with an override for one organisation; only organisations that have one are offered."""

    title = "override for organisation"
    parameter_name = "organisation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = FlagOverride.objects.filter(organisation__isnull=False).order_by("organisation__name", "organisation")
        names = rows.values_list("organisation__slug", "organisation__name").distinct()
        return [(slug, name) for slug, name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Flag]) -> QuerySet[Flag]:
        slug = self.value()
        if slug is None:
            return queryset
        return queryset.filter(pk__in=FlagOverride.objects.filter(organisation__slug=slug).values("flag"))
