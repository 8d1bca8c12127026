"""Over which time is use looked at, and in which steps? In the time zone of whoever looks."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db.models.functions import TruncDay, TruncHour
from django.utils import timezone

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Period:
    """So many steps up to now, each an hour or a day long."""

    key: str
    words: str
    steps: int
    is_hourly: bool = False

    def beginnings(self, *, at: datetime) -> list[datetime]:
        """Of each step, oldest first; the last one is not over."""
        now = timezone.localtime(at)
        if self.is_hourly:
            this_hour = now.replace(minute=0, second=0, microsecond=0)
            return [this_hour - back * HOUR for back in reversed(range(self.steps))]
        days = [now.date() - timedelta(days=back) for back in reversed(range(self.steps))]
        return [datetime.combine(day, time.min, tzinfo=now.tzinfo) for day in days]

    @property
    def truncated(self) -> TruncHour | TruncDay:
        """The beginning of the step that a row belongs to."""
        return TruncHour("hour") if self.is_hourly else TruncDay("hour")


PERIODS = {
    period.key: period
    for period in (
        Period("24h", "24 hours", 24, is_hourly=True),
        Period("7d", "7 days", 7),
        Period("30d", "30 days", 30),
        Period("90d", "90 days", 90),
    )
}
