"""What does each flag do now, in a word? Told by the database, so that lists show, filter and sort by the same answer."""

from datetime import date, datetime
from typing import Any

from django.db import models
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

EVERYBODY = 100_000


class State(models.TextChoices):
    """The first rungs of the ladder and its last one: what holds for whoever no override, sector or prerequisite stops."""

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
        )

    def overdue(self, on: date) -> Any:
        """Those that somebody was to look at by now."""
        return self.filter(review_date__lte=on, is_archived=False)

    def changing_by_themselves(self, at: datetime) -> Any:
        """Those whose window or ramp has something to come, on flags that are neither killed, archived nor disabled."""
        to_come = Q(window_starts_at__gt=at) | Q(window_ends_at__gt=at)
        to_come |= Q(Exists(self._parts("ramp_steps").filter(at__gt=at)))
        return self.filter(to_come, is_enabled=True, is_killed=False, is_archived=False).exclude(window_ends_at__lte=at)

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

    def by_state(self, at: datetime, on: date) -> dict[str, int]:
        """How many are in each state, and how many are due; one query."""
        numbers = {state.value: Count("pk", filter=Q(state_now=state)) for state in State}
        due = Count("pk", filter=Q(review_date__lte=on, is_archived=False))
        return self.as_of(at).aggregate(**numbers, due=due)

    def _parts(self, name: str) -> Any:
        model: Any = self.model._meta.get_field(name).related_model
        return model.objects.filter(flag=OuterRef("pk"))

    def _number_of(self, name: str) -> Any:
        numbers = self._parts(name).order_by().values("flag").annotate(number=Count("pk")).values("number")
        return Coalesce(Subquery(numbers), 0)


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
