"""The sections of a flag's page: what it is, then the rungs of its ladder in their order, with what is set on each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from modules.flags.admin.overrides import Overrides
from modules.flags.differences import FIELDS
from modules.flags.models import FULL_ROLLOUT, Flag
from modules.flags.wording import listed, percent

WORDS = {part: words for part, _, words in FIELDS}


@dataclass(frozen=True)
class Rung:
    """`number` is the ladder's, empty beside it; `part` names what the section shows beyond its fields."""

    number: str
    title: str
    sentence: str
    fields: tuple[str, ...] = ()
    part: str = ""
    is_always_open: bool = False


RUNGS = (
    Rung(
        "",
        "What it is",
        "For people. Nothing here changes an answer.",
        ("key", "name", "purpose", "kind", "owner", "review_date"),
        is_always_open=True,
    ),
    Rung("1", "Forced by the operator", "FLAGS_FORCED, where the product runs, beats everything below.", part="forced"),
    Rung(
        "2",
        "Killed or archived",
        "Then it is off for everybody, past every override. Both are done in the list of flags.",
        ("is_killed", "is_archived"),
    ),
    Rung("3", "Window", "Outside these times it is off.", ("window_starts_at", "window_ends_at")),
    Rung("4", "Prerequisites", "Where one of these flags is off, this one is off.", ("needs",)),
    Rung("5", "Module", "Where an organisation does not have this module, it is off.", ("module_key",)),
    Rung(
        "6",
        "Overrides for people",
        "While one is current, it answers for that person, and nothing below is asked.",
        part="people",
    ),
    Rung(
        "7",
        "Overrides for organisations, and enabled",
        "Likewise for an organisation. Where none is current, the flag is off unless it is enabled.",
        ("is_enabled",),
        part="organisations",
        is_always_open=True,
    ),
    Rung("8", "Blocked sectors", "In these sectors it is off.", ("blocked_sectors",)),
    Rung("9", "Allowed sectors", "Where there are some, it is off in all other sectors.", ("allowed_sectors",)),
    Rung(
        "10",
        "Percentage",
        "Each organisation or person always falls in the same place; those below the percentage go on.",
        ("percentage", "bucket_by", "salt"),
        part="ramp",
        is_always_open=True,
    ),
    Rung(
        "11",
        "On",
        "Who came this far has it. Where there are variants, their weights choose one.",
        ("value_type", "off_value", "is_visible_to_clients"),
        part="variants",
        is_always_open=True,
    ),
)


@dataclass(frozen=True)
class Section:
    """A rung of one flag: `says` is what is set there, and `is_set` whether it can decide anything."""

    rung: Rung
    fieldset: Any
    says: str
    is_set: bool
    has_errors: bool

    @property
    def is_open(self) -> bool:
        return self.rung.is_always_open or self.is_set or self.has_errors


def sections(flag: Flag | None, form: Any, fieldsets: Any, overrides: Overrides) -> list[Section]:
    body = form.state.theirs
    found = []
    for rung, fieldset in zip(RUNGS, fieldsets, strict=False):
        words, is_set = SAYS[rung.number](body, flag, overrides) if rung.number else ("", False)
        if rung.number and _is_typed(rung, form):
            words, is_set = "changed below, not published", True
        found.append(Section(rung, fieldset, words, is_set, _has_errors(rung, form)))
    return found


def _is_typed(rung: Rung, form: Any) -> bool:
    """Whether it shows what somebody typed and nobody published: what stands there as released is another thing."""
    return form.is_bound and any(name in form.changed_data for name in rung.fields)


def _has_errors(rung: Rung, form: Any) -> bool:
    rows = {"variants": form.variants, "ramp": form.ramp}.get(rung.part)
    return any(name in form.errors for name in rung.fields) or bool(rows and rows.is_bound and not rows.is_valid())


Said = tuple[str, bool]


def _forced(body: Mapping[str, Any], flag: Flag | None, overrides: Overrides) -> Said:
    value = settings.FLAGS_FORCED.get(flag.key) if flag else None
    return ("not forced", False) if value is None else (f"forced {'on' if value else 'off'}", True)


def _switched(body: Mapping[str, Any], flag: Flag | None, overrides: Overrides) -> Said:
    words = [
        word for word, is_so in (("killed", flag and flag.is_killed), ("archived", flag and flag.is_archived)) if is_so
    ]
    return " and ".join(words) or "neither", bool(words)


def _window(body: Mapping[str, Any], flag: Flag | None, overrides: Overrides) -> Said:
    starts, ends = (body[part] and WORDS[part](body[part]) for part in ("starts_at", "ends_at"))
    words = [f"from {starts}"] if starts else []
    words += [f"until {ends}"] if ends else []
    return " ".join(words) or "always", bool(words)


def _listed(part: str, without: str) -> Any:
    return lambda body, flag, overrides: (listed(body[part], without), bool(body[part]))


def _module(body: Mapping[str, Any], flag: Flag | None, overrides: Overrides) -> Said:
    return body["module"] or "none", bool(body["module"])


def _people(body: Mapping[str, Any], flag: Flag | None, overrides: Overrides) -> Said:
    return _counted(overrides.people_count), bool(overrides.people_count)


def _organisations(body: Mapping[str, Any], flag: Flag | None, overrides: Overrides) -> Said:
    enabled = "enabled" if body["enabled"] else "not enabled"
    return f"{enabled}, {_counted(overrides.organisation_count)}", True


def _counted(number: int) -> str:
    return "no overrides" if not number else f"{number} override{'' if number == 1 else 's'}"


def _percentage(body: Mapping[str, Any], flag: Flag | None, overrides: Overrides) -> Said:
    steps = len(body["ramp"])
    ramp = f", {steps} step{'' if steps == 1 else 's'} of a ramp" if steps else ""
    return f"{percent(body['rollout'])} by {body['bucket_by']}{ramp}", body["rollout"] != FULL_ROLLOUT or bool(steps)


def _on(body: Mapping[str, Any], flag: Flag | None, overrides: Overrides) -> Said:
    return WORDS["variants"](body["variants"]) if body["variants"] else "on", bool(body["variants"])


SAYS = {
    "1": _forced,
    "2": _switched,
    "3": _window,
    "4": _listed("needs", "none"),
    "5": _module,
    "6": _people,
    "7": _organisations,
    "8": _listed("blocked_sectors", "none"),
    "9": _listed("allowed_sectors", "all"),
    "10": _percentage,
    "11": _on,
}
