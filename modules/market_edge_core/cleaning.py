"""Which price files are over, and may go?"""

from datetime import datetime

from django.db.models import QuerySet

from modules.market_edge_core.models import PriceUpload


def over(*, at: datetime) -> dict[str, QuerySet]:
    """Previews that nobody confirmed in time. Files that were loaded stay, as the record of their load."""
    return {"previews of price files": PriceUpload.objects.expired(at=at)}
