"""Is the identity provider reachable, and is it the one of the settings?"""

from typing import Any

from accounts import provider_check
from tenants.operations import LookingCommand, Report


class Command(LookingCommand):
    help = (
        "Read the identity provider's document and keys and compare them with the settings; nobody signs in, no secret"
        " is sent. Exit code 0: fit, 1: unfit, 3: it cannot be reached."
    )
    default_timeout = 10.0

    def look(self, *, timeout: float, **options: Any) -> Report:
        return provider_check.examine(within=timeout * 0.9)
