"""Which hours of use are looked for?"""

from datetime import datetime
from typing import Any, Self

from django.db import models


class HoursOfUse(models.QuerySet[Any]):
    def before(self, moment: datetime) -> Self:
        """Those that began before it: what may go, when it is no longer kept."""
        return self.filter(hour__lt=moment)

    def of(self, key: str, *, since: datetime) -> Self:
        """One flag's, from the hour on that began then."""
        return self.filter(flag_key=key, hour__gte=since)
