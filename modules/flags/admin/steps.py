"""The ladder as it is drawn: each rung with what was seen there, as words, as pictures, and as ways on."""

from collections.abc import Iterator
from dataclasses import dataclass

from modules.flags import ladder_view, wording
from modules.flags.admin.case import Case
from modules.flags.answers import Override
from modules.flags.because import because, unit
from modules.flags.document import SCALE
from modules.flags.explaining import Explanation
from modules.flags.ladder import bucket, variant_bucket


@dataclass(frozen=True)
class Scale:
    """Where the unit falls among SCALE, and below which place the flag is on."""

    place: int
    below: int
    unit: str

    @property
    def is_inside(self) -> bool:
        return self.place < self.below


@dataclass(frozen=True)
class Share:
    """What one variant has of all the places."""

    name: str
    starts: int
    length: int
    percent: str
    is_chosen: bool


@dataclass(frozen=True)
class Need:
    """A prerequisite, on or off for the same people."""

    key: str
    is_on: bool
    because: str


@dataclass(frozen=True)
class Step:
    number: int
    title: str
    state: str
    says: str
    override: Override | None = None
    needs: tuple[Need, ...] = ()
    scale: Scale | None = None
    shares: tuple[Share, ...] = ()
    place: int | None = None

    @property
    def shape(self) -> str:
        return self.state.replace(" ", "-")


def steps(case: Case, told: Explanation) -> list[Step]:
    """From top to bottom, 0 to 11."""
    rules = case.rules.get(told.key)
    rungs = ladder_view.rungs(told, rules, at=case.at)
    return [_step(case, told, rung) for rung in rungs]


def _step(case: Case, told: Explanation, rung: ladder_view.Rung) -> Step:
    is_decided = rung.state == "decided"
    says = _decided(case, told) if is_decided else rung.says
    if rung.state == "not reached":
        return Step(rung.number, rung.title, rung.state, "")
    needs = tuple(_needs(case, told)) if rung.number == 4 else ()
    return Step(
        number=rung.number,
        title=rung.title,
        state=rung.state,
        says="" if needs and not is_decided else says or _seen(case, told, rung.number),
        override=told.override if is_decided else None,
        needs=needs,
        scale=_scale(told) if rung.number == 10 else None,
        shares=tuple(_shares(case, told)) if is_decided and told.is_on else (),
        place=_variant_place(told) if is_decided and told.is_on else None,
    )


def _decided(case: Case, told: Explanation) -> str:
    return "no rung turned it off" if told.rung == 11 else because(told, case.rules.get(told.key))


def _seen(case: Case, told: Explanation, number: int) -> str:
    if number == 0:
        return f"release {told.version} knows it"
    if number == 1 and case.is_past:
        return "whether the operator did then is kept nowhere"
    return ""


def _needs(case: Case, told: Explanation) -> Iterator[Need]:
    rules = case.rules.get(told.key)
    for key in rules.needs if rules else ():
        needed = case.told(key)
        yield Need(key, needed.is_on, because(needed, case.rules.get(key)))


def _unit(told: Explanation) -> str:
    return told.context.person if told.flag.is_by_person else told.context.organisation


def _scale(told: Explanation) -> Scale | None:
    if not _unit(told):
        return None
    return Scale(bucket(told.flag.salt, _unit(told)), told.flag.rollout, unit(told))


def _variant_place(told: Explanation) -> int | None:
    """None where the weights did not choose."""
    is_chosen = told.override is not None and bool(told.override.variant)
    return None if is_chosen or not _unit(told) else variant_bucket(told.flag.salt, _unit(told))


def _shares(case: Case, told: Explanation) -> Iterator[Share]:
    rules = case.rules.get(told.key)
    variants = rules.variants if rules else ()
    total, reached = sum(variant.weight for variant in variants), 0
    for variant in variants:
        starts, reached = reached * SCALE // total, reached + variant.weight
        length = reached * SCALE // total - starts
        yield Share(variant.name, starts, length, wording.percent(length), variant.name == told.variant)
