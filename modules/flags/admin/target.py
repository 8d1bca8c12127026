"""What does a change of one override mean for the one whom it is for: the answer before, afterwards, and later on?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from modules.flags import population, wording
from modules.flags.admin.case import told_in
from modules.flags.answers import Context
from modules.flags.because import because
from modules.flags.document import Rules
from modules.flags.explaining import Explanation
from modules.flags.models import FlagOverride
from modules.flags.population import Somebody
from modules.flags.rehearsal import Rehearsal
from modules.flags.snapshot import Snapshot, compile_release, rules_in

SHOWN = 5  # organisations of one person


@dataclass(frozen=True, slots=True)
class Answer:
    """From when on, what the flag answers then, and because of what."""

    when: str
    is_on: bool
    words: str
    because: str


@dataclass(frozen=True, slots=True)
class Target:
    """The organisation, or the person in one organisation, with the answers in the order of time."""

    name: str
    answers: Sequence[Answer]


@dataclass(frozen=True, slots=True)
class Targets:
    """Of one override; `more` organisations of the person are not shown."""

    shown: Sequence[Target]
    more: int


@dataclass(frozen=True, slots=True)
class _Moment:
    when: str
    snapshot: Snapshot
    rules: Rules | None


def targets_of(override: FlagOverride, rehearsal: Rehearsal, *, at: datetime) -> Targets:
    """As many queries whatever there is. Needs platform scope."""
    key, whom = override.flag.key, _whom(override, at)
    moments = list(_moments(override, rehearsal, at))
    shown = [Target(_name(somebody), list(_answers(key, somebody.context, moments))) for somebody in whom[:SHOWN]]
    return Targets(shown, len(whom) - len(shown))


def _moments(override: FlagOverride, rehearsal: Rehearsal, at: datetime) -> Iterator[_Moment]:
    before, after = (
        compile_release(0, document, at, settings.FLAGS_FORCED) for document in (rehearsal.before, rehearsal.after)
    )
    old, new = (rules_in(0, one.document).get(override.flag.key) for one in (before, after))
    yield _Moment("Now", before, old)
    yield _Moment("Afterwards", after, new)
    for moment in sorted(one for one in (override.starts_at, override.expires_at) if one and one > at):
        yield _Moment(f"From {wording.moment(moment)}", after.at(moment), new)


def _whom(override: FlagOverride, at: datetime) -> list[Somebody]:
    organisation, person = override.organisation, override.person
    if organisation is not None:
        return [Somebody(population.context_of(organisation, None, at=at), organisation.name, organisation.slug)]
    if person is None:
        return []
    alone = Somebody(population.context_of(None, person, at=at), "", "", person.email)
    return population.in_organisations(person, at=at) or [alone]


def _name(somebody: Somebody) -> str:
    where = somebody.organisation or "no organisation"
    return f"{somebody.person} in {where}" if somebody.person else where


def _answers(key: str, context: Context, moments: Sequence[_Moment]) -> Iterator[Answer]:
    """Later ones where they differ from the one before."""
    last = None
    for number, moment in enumerate(moments):
        told = told_in(moment.snapshot, key, context)
        said = (told.is_on, _words(told), because(told, moment.rules))
        if number < 2 or said != last:
            yield Answer(moment.when, *said)
        last = said


def _words(told: Explanation) -> str:
    if not told.is_on:
        return "off"
    return "on" if told.variant == "on" else f"on: {told.variant}"
