"""What a flag said when its form was opened, and what it says now: the form's own release, and the rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from modules.flags.document import moment_text
from modules.flags.drafting import bodies as drafted
from modules.flags.merging import who_changed
from modules.flags.models import Flag, FlagRelease
from modules.flags.newest import newest_number
from modules.flags.rows import THOUSAND
from modules.flags.soundness import body_in
from modules.flags.values import text_of

MOST_RELEASES = 20
# What a form for a new flag shows.
NEW: dict[str, Any] = {
    "name": "",
    "purpose": "",
    "kind": "release",
    "owner": "",
    "review_date": None,
    "value_type": "boolean",
    "off_value": False,
    "visible_to_clients": False,
    "module": "",
    "enabled": False,
    "rollout": 100_000,
    "bucket_by": "organisation",
    "starts_at": None,
    "ends_at": None,
    "allowed_sectors": [],
    "blocked_sectors": [],
    "needs": [],
    "variants": [],
    "ramp": [],
}
# The fields of the form, and the flag's own, by the part of a document that they say.
FORM_FIELDS = {
    **{part: part for part in NEW},
    "visible_to_clients": "is_visible_to_clients",
    "module": "module_key",
    "enabled": "is_enabled",
    "rollout": "percentage",
    "starts_at": "window_starts_at",
    "ends_at": "window_ends_at",
}
LISTS = {"needs", "allowed_sectors", "blocked_sectors", "variants", "ramp"}


@dataclass(frozen=True)
class Opened:
    """`release` is the newest one's number now, `body` what the form showed, `theirs` what the flag says now, and
    `by` who changed each part between the two."""

    release: int
    body: Mapping[str, Any]
    theirs: Mapping[str, Any]
    by: Mapping[str, str] = field(default_factory=dict)


def opened_at(flag: Flag, number: int | None) -> Opened:
    """The form of a flag that was opened at a release; without one, now."""
    release = newest_number()
    if not flag.pk:
        return Opened(release, NEW, NEW)
    theirs = drafted(flag.key)[flag.key]
    if number is None or number == release:
        return Opened(release, theirs, theirs)
    opened = FlagRelease.objects.filter(number=number).first()
    # Without what was shown then, the preview still shows every difference to what holds.
    body = body_in(opened.document, flag.key) if opened else None
    if body is None or body == theirs:
        return Opened(release, theirs, theirs)
    return Opened(release, body, theirs, who_changed(_since(number, flag.key), body))


def _since(number: int, key: str) -> Iterator[tuple[str, Any]]:
    """The authors of the releases after it and what they say of the flag, one by one: documents are long."""
    releases = FlagRelease.objects.filter(number__gt=number).order_by("number")[:MOST_RELEASES]
    for author, document in releases.values_list("author_email", "document").iterator(chunk_size=1):
        yield author or "the system", body_in(document, key)


def shown(body: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a body as the fields of the form have them; prerequisites as keys."""
    fields = {FORM_FIELDS[part]: body[part] for part in NEW if part not in ("variants", "ramp")}
    return {
        **fields,
        "review_date": date.fromisoformat(body["review_date"]) if body["review_date"] else None,
        "off_value": text_of(body["off_value"]),
        "percentage": Decimal(body["rollout"]) / THOUSAND,
        "window_starts_at": _moment(body["starts_at"]),
        "window_ends_at": _moment(body["ends_at"]),
    }


def said(cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a form that is valid as the parts of a body; without its rows."""
    return {
        **{part: cleaned[name] for part, name in FORM_FIELDS.items() if part not in ("variants", "ramp")},
        "review_date": cleaned["review_date"].isoformat() if cleaned["review_date"] else None,
        "rollout": int(cleaned["percentage"] * THOUSAND),
        "starts_at": moment_text(cleaned["window_starts_at"]),
        "ends_at": moment_text(cleaned["window_ends_at"]),
        "needs": sorted(flag.key for flag in cleaned["needs"]),
        "allowed_sectors": sorted(set(cleaned["allowed_sectors"])),
        "blocked_sectors": sorted(set(cleaned["blocked_sectors"])),
    }


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
