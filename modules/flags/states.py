"""What does each flag do now, in a word? Told by the database: lists show, filter and sort by the same answer."""

from datetime import date, datetime
from typing import Any

from django.db import models
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

EVERYBODY = 100_000


class State(models.TextChoices):
    """What holds for those whom no override, sector or prerequisite concerns."""

    ON = "on", "On for everybody"
    PARTIAL = "partial", "Partial"
    SCHEDULED = "scheduled", "Scheduled"
    OFF = "off", "Off"
    ENDED = "ended", "Ended"
    KILLED = "killed", "Killed"
    ARCHIVED = "archived", "Archived"


class FlagQuerySet(models.QuerySet):
    def as_of(self, at: datetime) -> Any:
        """With `rollout_now` (the last step of the ramp that has come), `next_step_at`, `next_step_rollout`, and
        `state_now`."""
        steps = self._parts("ramp_steps")
        later = steps.filter(at__gt=at).order_by("at")
        return self.annotate(
            rollout_now=Coalesce(
                Subquery(steps.filter(at__lte=at).order_by("-at").values("rollout")[:1]), F("rollout")
            ),
            next_step_at=Subquery(later.values("at")[:1]),
            next_step_rollout=Subquery(later.values("rollout")[:1]),
        ).annotate(state_now=_state(at))

    def counted(self) -> Any:
        """With the numbers of what belongs to each."""
        return self.annotate(
            overrides_counted=self._number_of("overrides"),
            variants_counted=self._number_of("variants"),
            sectors_counted=self._number_of("sector_rules"),
            needs_counted=self._number_of("needs_rows"),
            needed_by_counted=self._number_of("needed_by_rows", "needs"),
        )

    def overdue(self, on: date) -> Any:
        """Those that somebody was to look at by now."""
        return self.filter(_is_overdue(on))

    def changing_by_themselves(self, at: datetime) -> Any:
        """Those whose window or ramp has something to come, on flags that are neither killed, archived nor disabled."""
        return self.filter(self._is_to_come(at))

    def maybe_on(self, at: datetime) -> Any:
        """Those that are on for somebody, as far as their own rows say: by rollout or by an override. Needs `as_of`."""
        overrides = self._parts("overrides").filter(value=True)
        overrides = overrides.exclude(starts_at__gt=at).exclude(expires_at__lte=at)
        closed = [State.KILLED, State.ARCHIVED, State.ENDED]
        by_rollout = Q(state_now__in=[State.ON, State.PARTIAL])
        return (
            self.filter(by_rollout | Q(Exists(overrides)))
            .exclude(state_now__in=closed)
            .exclude(window_starts_at__gt=at)
        )

    def finished(self, at: datetime, since: datetime) -> Any:
        """Flags of releases that have been on for everybody, without any condition, since then. Needs `as_of`."""
        recent = Q(updated_at__gt=since) | Q(window_starts_at__gt=since) | Q(window_ends_at__gt=at)
        recent |= Q(Exists(self._parts("ramp_steps").filter(at__gt=since)))
        conditions = Q(Exists(self._parts("sector_rules"))) | Q(Exists(self._parts("needs_rows")))
        return self.filter(state_now=State.ON, kind="release").exclude(recent | conditions)

    def by_state(self, at: datetime, on: date) -> dict[str, int]:
        """How many are in each state, how many have something to come, and how many are due; one query."""
        numbers: dict[str, Any] = {state.value: Count("pk", filter=Q(state_now=state)) for state in State}
        numbers[State.SCHEDULED] = Count("pk", filter=self._is_to_come(at))
        return self.as_of(at).aggregate(**numbers, due=Count("pk", filter=_is_overdue(on)))

    def _is_to_come(self, at: datetime) -> Q:
        may_change = Q(is_enabled=True, is_killed=False, is_archived=False) & ~Q(window_ends_at__lte=at)
        steps = Q(Exists(self._parts("ramp_steps").filter(at__gt=at)))
        return may_change & (Q(window_starts_at__gt=at) | Q(window_ends_at__gt=at) | steps)

    def _parts(self, name: str, by: str = "flag") -> Any:
        model: Any = self.model._meta.get_field(name).related_model
        return model.objects.filter(**{by: OuterRef("pk")})

    def _number_of(self, name: str, by: str = "flag") -> Any:
        numbers = self._parts(name, by).order_by().values(by).annotate(number=Count("pk")).values("number")
        return Coalesce(Subquery(numbers), 0)


def _is_overdue(on: date) -> Q:
    return Q(review_date__lte=on, is_archived=False)


def _state(at: datetime) -> Case:
    return Case(
        When(is_archived=True, then=Value(State.ARCHIVED)),
        When(is_killed=True, then=Value(State.KILLED)),
        When(window_ends_at__lte=at, then=Value(State.ENDED)),
        When(is_enabled=False, then=Value(State.OFF)),
        When(window_starts_at__gt=at, then=Value(State.SCHEDULED)),
        When(rollout_now=0, next_step_rollout__gt=0, then=Value(State.SCHEDULED)),
        When(rollout_now=0, then=Value(State.OFF)),
        When(rollout_now=EVERYBODY, then=Value(State.ON)),
        default=Value(State.PARTIAL),
        output_field=models.CharField(),
    )
