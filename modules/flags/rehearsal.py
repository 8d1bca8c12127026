"""What would a change of flags make of them? It is made, read and taken back: nothing of it stays."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from modules.flags.newest import newest_release, release_that_holds
from modules.flags.releases import change, to_publish
from modules.flags.snapshot import NO_FLAGS


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The document of the release that holds here, and the one that a release of the change would have. `number` is
    the newest's, and `held` the one's that holds: an older one while the newest cannot be read."""

    number: int
    held: int
    before: str
    after: str

    @property
    def is_of_newest(self) -> bool:
        return self.held == self.number


class _TakenBack(Exception):
    pass


def rehearse(run: Callable[[], Any]) -> Rehearsal:
    """Call `run`, which calls actions, and take back what it did. Others who change flags wait no longer than that.

    Refused where publishing would be.
    """
    try:
        with transaction.atomic(), change("flags.rehearsed", by=None, reason="a rehearsal"):
            newest, held = newest_release(), release_that_holds()
            run()
            told = Rehearsal(
                number=newest.number if newest else 0,
                held=held.number if held else 0,
                before=held.document if held else NO_FLAGS,
                after=to_publish()[0],
            )
            raise _TakenBack
    except _TakenBack:
        return told
