"""Who has a flag? On the page of reasons, where somebody asks about a flag alone: its answer for every organisation."""

from dataclasses import dataclass
from itertools import islice
from typing import Any

from modules.flags.admin.asked import asking
from modules.flags.admin.case import Case
from modules.flags.answers import Reason
from modules.flags.because import because
from modules.flags.effects import spread
from modules.flags.explaining import Explanation
from modules.flags.ladder import UNKNOWN_OFF, Flag

SHOWN = 200  # organisations


@dataclass(frozen=True)
class Place:
    """One organisation, and how many of its people have the flag."""

    name: str
    told: Explanation
    people: int
    on: int
    because: str
    url: str

    @property
    def goes_by_person(self) -> bool:
        return self.told.reason is Reason.NOBODY_TO_COUNT


def everywhere(case: Case, names: dict[str, str]) -> dict[str, Any]:
    key, at = case.asked.flag, case.asked.at.isoformat() if case.asked.at else ""
    flag, rules = case.snapshot.flags.get(key, Flag(key, fixed=UNKNOWN_OFF)), case.rules.get(key)
    found = spread(flag, version=case.snapshot.version, at=case.at)
    places = [
        Place(
            name=one.organisation.organisation,
            told=one.told,
            people=one.people,
            on=one.on,
            because=because(one.told, rules),
            url=asking(flag=key, organisation=slug, at=at),
        )
        for slug, one in islice(found.at.items(), SHOWN)
    ]
    return {
        "everywhere": found,
        "places": places,
        "more": len(found.at) - len(places),
        "key": key,
        "name": names.get(key, ""),
    }
