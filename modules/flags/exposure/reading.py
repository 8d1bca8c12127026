"""When was each flag last used?"""

from datetime import datetime

from django.db.models import OuterRef, Subquery

from modules.flags.models import Flag, FlagExposure


def last_evaluated() -> dict[str, datetime]:
    """The beginning of the last hour in which each flag was used, by key; without those that were not. One query."""
    newest = FlagExposure.objects.filter(flag_key=OuterRef("key")).order_by("-hour").values("hour")[:1]
    found = Flag.objects.order_by("key").values_list("key", Subquery(newest))
    return {key: hour for key, hour in found if hour is not None}
