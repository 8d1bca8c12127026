"""Which rows of the use of flags are over, and may go?"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from modules.flags.models import FlagExposure


def over(*, at: datetime) -> dict[str, QuerySet]:
    """Hours that ended longer ago than they are kept."""
    return {"hours of the use of flags": FlagExposure.objects.before(at - timedelta(days=settings.FLAG_USE_KEPT_DAYS))}
