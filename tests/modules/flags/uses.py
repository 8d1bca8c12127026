"""Hours of use of flags, as if they had been counted."""

from datetime import datetime
from typing import Any

from modules.flags.answers import Context, Outcome, Reason
from modules.flags.exposure.counting import Ledger, ledger
from modules.flags.ladder import Flag
from modules.flags.models import FlagExposure
from tests.factories import as_owner


def note(key: str, organisation: str, rung: int = 11, *, into: Ledger = ledger) -> None:
    """As if the flag had just answered that it is on."""
    into.note((Flag(key), Outcome(True, Reason.IN_ROLLOUT, rung), Context(organisation=organisation)))


@as_owner
def make_use(key: str, *, hour: datetime, organisation: Any = None, **fields: Any) -> FlagExposure:
    """`organisation` is one, or a public id. Once on for everybody, unless `fields` say otherwise."""
    public_id = getattr(organisation, "public_id", organisation)
    told = {"is_on": True, "variant": "on", "rung": 11, "count": 1, **fields}
    return FlagExposure.objects.create(flag_key=key, hour=hour, organisation_public_id=public_id, **told)
