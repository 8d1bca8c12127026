"""What would change a flag's answer: for the rung that decided, what to do, where, and what it would answer then."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from modules.flags import wording
from modules.flags.admin.case import Case
from modules.flags.answers import Reason
from modules.flags.because import because
from modules.flags.document import SCALE, Rules
from modules.flags.explaining import Explanation
from modules.flags.models import Flag, FlagOverride


@dataclass(frozen=True)
class Remedy:
    """`url` is empty where the reader may not go there, or where no page does it."""

    words: str
    url: str = ""
    then: str = ""


@dataclass(frozen=True)
class _Ways:
    """The ways into the admin site for one case; to those who may go them."""

    case: Case
    told: Explanation
    by: Any
    flag: Flag | None

    def change_flag(self) -> str:
        """To the rung that decided."""
        url = self._to("flags.change_flag", "flags_flag_change", self.flag)
        return url and f"{url}#rung-{self.told.rung}"

    def switch(self) -> str:
        return self._to("flags.change_flag", "flags_kill_one", self.flag)

    def change_organisation(self) -> str:
        return self._to("tenants.change_organisation", "tenants_organisation_change", self.case.asked.organisation)

    def module_access(self) -> str:
        asked = self.case.asked
        if not (asked.organisation and asked.person):
            return ""
        url = self._to("modules.view_analyticsmodule", "explain_anybodys_access")
        about = {"person": asked.person.email, "organisation": asked.organisation.slug, "module": self.told.flag.module}
        return url and f"{url}?{urlencode(about)}"

    def entitle(self) -> str:
        organisation = self.case.asked.organisation
        return self._add("modules.add_entitlement", "modules_entitlement_add", organisation=organisation)

    def override(self, **target: Any) -> str:
        """To the override that is there for the target, or to a new one that would change the answer."""
        if self.flag is None:
            return ""
        row = FlagOverride.objects.filter(flag=self.flag, **target).first()
        if row:
            return self._to("flags.change_flagoverride", "flags_flagoverride_change", row)
        url = self._add("flags.add_flagoverride", "flags_flagoverride_add", flag=self.flag, **target)
        return url and f"{url}&value={'off' if self.told.is_on else 'on'}"

    def _to(self, permission: str, name: str, *rows: Any) -> str:
        if not self.by.has_perm(permission) or None in rows:
            return ""
        return reverse(f"admin:{name}", args=[row.pk for row in rows])

    def _add(self, permission: str, name: str, **chosen: Any) -> str:
        url = self._to(permission, name)
        return url and f"{url}?{urlencode({field: row.pk for field, row in chosen.items()})}"


def remedies(case: Case, told: Explanation, *, by: Any) -> list[Remedy]:
    """The one that mends the deciding rung first."""
    ways = _Ways(case, told, by, Flag.objects.filter(key=told.key).first())
    if told.is_on:
        return list(_to_turn_off(ways))
    first = MENDING[told.reason](ways)
    return [replace(first, then=_then(case, told)), *_overriding(ways)]


def _then(case: Case, told: Explanation) -> str:
    """What the flag would say with the deciding rung out of the way."""
    rules = case.rules.get(told.key)
    undo = UNDOING.get(told.reason)
    if rules is None or undo is None:
        return ""
    would = case.told_with(undo(rules, told), is_forced=told.reason is not Reason.FORCED)
    if would.is_on:
        return "It would be on then."
    return f"By itself that is not enough: it would still be off, because {because(would, rules)}."


def _overriding(ways: _Ways) -> Iterator[Remedy]:
    """Exceptions, where one would be heard."""
    asked = ways.case.asked
    if ways.told.rung < 6 or ways.flag is None:
        return
    if asked.person and ways.told.reason is not Reason.PERSON_OVERRIDE:
        yield Remedy(f"Or make an exception: an override for {asked.person}.", ways.override(person=asked.person))
    if asked.organisation and (ways.told.rung > 7 or ways.told.reason is Reason.NOT_ENABLED):
        words = f"Or make an exception for everybody there: an override for {asked.organisation}."
        yield Remedy(words, ways.override(organisation=asked.organisation))


def _to_turn_off(ways: _Ways) -> Iterator[Remedy]:
    if ways.told.reason is Reason.FORCED:
        yield _unforce(ways)
        return
    if ways.told.override is not None:
        yield _change_override(ways)
    elif ways.case.asked.person and ways.flag:
        person = ways.case.asked.person
        yield Remedy(f"Override it to off for {person}.", ways.override(person=person))
    if ways.flag:
        yield Remedy("Kill it: off for everybody at once.", ways.switch())


def _make(ways: _Ways) -> Remedy:
    return Remedy(f"Make a flag with the key {ways.told.key}, or change the key in the code.")


def _unforce(ways: _Ways) -> Remedy:
    return Remedy(f"Only the operator can: take {ways.told.key} out of FLAGS_FORCED and restart the product.")


def _restore(ways: _Ways) -> Remedy:
    state = "archived" if ways.told.reason is Reason.ARCHIVED else "killed"
    return Remedy(f"Restore it: it is no longer {state} then.", ways.switch())


def _change_window(ways: _Ways) -> Remedy:
    return Remedy("Change its window, “on from” and “on until”.", ways.change_flag())


def _change_needs(ways: _Ways) -> Remedy:
    return Remedy("Turn its prerequisites on (rung 4 tells why one is off), or take them away.", ways.change_flag())


def _choose_organisation(ways: _Ways) -> Remedy:
    return Remedy("Choose an organisation above: modules are entitled to organisations.")


def _entitle(ways: _Ways) -> Remedy:
    words = f"Give the organisation the module {ways.told.flag.module}: see what it lacks."
    return Remedy(words, ways.module_access() or ways.entitle())


def _change_override(ways: _Ways) -> Remedy:
    override = ways.told.override
    asked, is_for_person = ways.case.asked, bool(override and override.is_for_person)
    target = {"person": asked.person} if is_for_person else {"organisation": asked.organisation}
    name = asked.person if is_for_person else asked.organisation
    return Remedy(f"Change or delete the override for {name}.", ways.override(**target))


def _enable(ways: _Ways) -> Remedy:
    return Remedy("Enable it: for all whom the rest of its ladder lets in.", ways.change_flag())


def _change_sectors(ways: _Ways) -> Remedy:
    return Remedy("Change the sectors that it is for.", ways.change_flag())


def _say_sector(ways: _Ways) -> Remedy:
    return Remedy("Enter the organisation's sector.", ways.change_organisation())


def _choose_unit(ways: _Ways) -> Remedy:
    unit = "a person" if ways.told.flag.is_by_person else "an organisation"
    return Remedy(f"Choose {unit} above: its percentage goes by that.")


def _raise(ways: _Ways) -> Remedy:
    enough = (ways.told.bucket or 0) + 1
    rules = ways.case.rules.get(ways.told.key)
    steps = [step for step in (rules.ramp if rules else ()) if step.at > ways.case.at and step.rollout >= enough]
    if steps:
        words = f"Wait: its ramp reaches {wording.percent(steps[0].rollout)} {wording.moment(steps[0].at)}."
        return Remedy(words, ways.change_flag())
    return Remedy(f"Raise its rollout to {wording.percent(enough)} or more; others get it, too.", ways.change_flag())


MENDING: dict[Reason, Callable[[_Ways], Remedy]] = {
    Reason.UNKNOWN_FLAG: _make,
    Reason.FORCED: _unforce,
    Reason.ARCHIVED: _restore,
    Reason.KILLED: _restore,
    Reason.BEFORE_WINDOW: _change_window,
    Reason.AFTER_WINDOW: _change_window,
    Reason.PREREQUISITE_OFF: _change_needs,
    Reason.PREREQUISITE_MISSING: _change_needs,
    Reason.PREREQUISITE_CIRCLE: _change_needs,
    Reason.PREREQUISITES_TOO_DEEP: _change_needs,
    Reason.ENTITLEMENT_UNKNOWN: _choose_organisation,
    Reason.NOT_ENTITLED: _entitle,
    Reason.PERSON_OVERRIDE: _change_override,
    Reason.ORGANISATION_OVERRIDE: _change_override,
    Reason.NOT_ENABLED: _enable,
    Reason.SECTOR_BLOCKED: _change_sectors,
    Reason.SECTOR_UNKNOWN: _say_sector,
    Reason.SECTOR_NOT_ALLOWED: _change_sectors,
    Reason.NOBODY_TO_COUNT: _choose_unit,
    Reason.OUTSIDE_ROLLOUT: _raise,
}


def _without_override(rules: Rules, told: Explanation) -> Rules:
    return replace(rules, overrides=tuple(one for one in rules.overrides if one != told.override))


def _without_window(rules: Rules, told: Explanation) -> Rules:
    return replace(rules, starts_at=None, ends_at=None)


def _without_sectors(rules: Rules, told: Explanation) -> Rules:
    is_blocked = told.reason is Reason.SECTOR_BLOCKED
    return replace(rules, blocked_sectors=()) if is_blocked else replace(rules, allowed_sectors=())


# The flag's rules as they would be with the deciding rung out of the way.
UNDOING: dict[Reason, Callable[[Rules, Explanation], Rules]] = {
    Reason.FORCED: lambda rules, told: rules,
    Reason.ARCHIVED: lambda rules, told: replace(rules, archived=False, killed=False),
    Reason.KILLED: lambda rules, told: replace(rules, archived=False, killed=False),
    Reason.BEFORE_WINDOW: _without_window,
    Reason.AFTER_WINDOW: _without_window,
    Reason.PREREQUISITE_OFF: lambda rules, told: replace(rules, needs=()),
    Reason.NOT_ENTITLED: lambda rules, told: replace(rules, module=""),
    Reason.PERSON_OVERRIDE: _without_override,
    Reason.ORGANISATION_OVERRIDE: _without_override,
    Reason.NOT_ENABLED: lambda rules, told: replace(rules, enabled=True),
    Reason.SECTOR_BLOCKED: _without_sectors,
    Reason.SECTOR_UNKNOWN: _without_sectors,
    Reason.SECTOR_NOT_ALLOWED: _without_sectors,
    Reason.OUTSIDE_ROLLOUT: lambda rules, told: replace(rules, rollout=SCALE, ramp=()),
}
