"""Which flag, organisation, person and moment does somebody ask about? Found by whatever of their names was typed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode

from tenants.editors_zone import zone_words
from tenants.models import Membership, Organisation

ADDRESS = "admin:flags_why"
OFFERED = 8  # of those who may be meant, when several are
LISTED = 500  # names that an input offers
CALENDAR = range(2000, 2100)


@dataclass(frozen=True)
class Choice:
    """One of several that may be meant: in words, and as the address has it."""

    words: str
    value: str


@dataclass
class Asked:
    """What was found. `choices` holds, by the name of a field, those of whom one has to be chosen first."""

    flag: str = ""
    organisation: Organisation | None = None
    person: Any = None
    at: datetime | None = None
    is_organisation_assumed: bool = False
    choices: dict[str, list[Choice]] = field(default_factory=dict)

    @property
    def is_clear(self) -> bool:
        return not self.choices and bool(self.flag or self.organisation or self.person)

    @property
    def is_about_everybody(self) -> bool:
        return bool(self.flag) and not (self.organisation or self.person)


class Moment(forms.DateTimeInput):
    """The browser's own input of a date and time; it takes no zone, so the page says which. Seconds may be left out."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__({"step": "any"}, format="%Y-%m-%dT%H:%M:%S")


def asking(**parts: str) -> str:
    """The page's address, with what is known of the question."""
    query = urlencode({name: text for name, text in parts.items() if text})
    return f"{reverse(ADDRESS)}?{query}" if query else reverse(ADDRESS)


def offering(name: str, **attributes: str) -> forms.TextInput:
    """A line of text that offers what is in the list of this name, and takes anything."""
    return forms.TextInput({"list": f"{name}-list", "autocomplete": "off", "spellcheck": "false", **attributes})


class WhyForm(forms.Form):
    """Everything is in the address, so that an answer can be sent to somebody as a link."""

    person = forms.CharField(
        required=False,
        max_length=254,
        widget=offering("person"),
        help_text="Name or e-mail address.",
    )
    flag = forms.CharField(
        required=False,
        max_length=120,
        widget=offering("flag"),
        help_text="Key or name. Empty: all flags.",
    )
    organisation = forms.CharField(
        required=False,
        max_length=200,
        widget=offering("organisation"),
        help_text="Empty: the person's own. Without both: who has the flag.",
    )
    at = forms.DateTimeField(required=False, label="When", widget=Moment)

    def __init__(self, data: QueryDict, flags: Callable[[datetime | None], dict[str, str]]) -> None:
        """`flags` tells, for a moment, the names of the flags by key."""
        super().__init__(data or None)
        self.flags_at = flags
        self.given_at = data.get("at", "").strip()
        self.asked = Asked()
        self.fields["at"].help_text = f"Empty: now. {zone_words()}."

    def clean_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["at"]
        if at and at.year not in CALENDAR:
            raise ValidationError(f"Enter a moment between {CALENDAR.start} and {CALENDAR.stop}.")
        return at

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors:
            self._find(given)
            self._show_what_was_found()
        return given

    def _find(self, given: dict[str, Any]) -> None:
        asked = self.asked
        asked.at = given["at"]
        asked.flag = self._one("flag", given["flag"], lambda text: _flags(text, self.flags_at(asked.at))) or ""
        asked.organisation = self._one("organisation", given["organisation"], _organisations)
        asked.person = self._one("person", given["person"], lambda text: _people(text, asked.organisation))
        if asked.person and not (given.get("organisation") or self.errors):
            self._assume_organisation()

    def _one(self, name: str, text: str, search: Callable[[str], Sequence[Any]]) -> Any:
        """The only one that may be meant; with none it is an error, with several a choice."""
        if not text:
            return None
        found = search(text)
        if not found:
            self.add_error(name, ValidationError(NOBODY[name]))
        offered = found if len(found) > 1 else [] if found else self._alike(name, text)
        if offered:
            self.asked.choices[name] = [CHOICES[name](one) for one in offered[:OFFERED]]
        return found[0] if len(found) == 1 else None

    def _alike(self, name: str, text: str) -> Sequence[Any]:
        """Whom a name with a slip of the pen may mean."""
        if name == "flag":
            return _spelled_like(text, {key: (key, name) for key, name in self.flags_at(self.asked.at).items()})
        if name == "organisation":
            rows = Organisation.objects.in_reading_order()[:LISTED]
            return _spelled_like(text, {one: (one.slug, one.name) for one in rows})
        return []

    def _assume_organisation(self) -> None:
        own = Organisation.objects.filter(memberships__user=self.asked.person).in_reading_order()[:OFFERED]
        if len(own) == 1:
            self.asked.organisation, self.asked.is_organisation_assumed = own[0], True
        if len(own) > 1:
            self.asked.choices["organisation"] = [CHOICES["organisation"](one) for one in own]

    def _show_what_was_found(self) -> None:
        """The inputs show it by the names that people know."""
        asked = self.asked
        found = {
            "flag": asked.flag,
            # One that was only assumed stays out of the input: it need not be the next person's.
            "organisation": not asked.is_organisation_assumed and asked.organisation and asked.organisation.name,
            "person": asked.person and asked.person.email,
            "at": asked.at and timezone.localtime(asked.at).strftime("%Y-%m-%dT%H:%M:%S"),
        }
        self.data = dict(self.data.items()) | {name: text for name, text in found.items() if text}

    @property
    def is_without_zone(self) -> bool:
        """The moment was typed here: elsewhere the same address would mean another one."""
        return self.asked.at is not None and parse_datetime(self.given_at) not in (None, self.asked.at)

    @property
    def lists(self) -> dict[str, list[Choice]]:
        """What the inputs offer. The people are the organisation's: of all there are too many."""
        organisations = Organisation.objects.in_reading_order().values_list("name", "slug")[:LISTED]
        return {
            "person": _members(self.asked.organisation),
            "organisation": [Choice(slug, name) for name, slug in organisations],
            "flag": [Choice(name, key) for key, name in sorted(self.flags_at(self.asked.at).items())[:LISTED]],
        }


NOBODY = {
    "flag": "No flag has this key or name.",
    "organisation": "No organisation has this name or slug.",
    "person": "Nobody has this name or address.",
}
CHOICES: dict[str, Callable[[Any], Choice]] = {
    "flag": lambda key: Choice(key, key),
    "organisation": lambda one: Choice(one.name, one.slug),
    "person": lambda one: Choice(f"{one.name} ({one.email})" if one.name else one.email, str(one.public_id)),
}


def _flags(text: str, names: dict[str, str]) -> list[str]:
    if text in names:
        return [text]
    folded = text.casefold()
    exact = [key for key, name in names.items() if name.casefold() == folded]
    words = folded.split()
    return exact or sorted(
        key for key, name in names.items() if all(word in f"{key}\n{name}".casefold() for word in words)
    )


def _spelled_like(text: str, names: Mapping[Any, Iterable[str]]) -> list[Any]:
    """The nearest first."""
    folded = {name.casefold(): one for one, own in names.items() for name in own}
    return list(dict.fromkeys(folded[name] for name in get_close_matches(text.casefold(), folded, n=OFFERED)))


def _organisations(text: str) -> list[Organisation]:
    rows = Organisation.objects.in_reading_order()
    return _nearest(rows, (Q(slug=text), _public_id(text), Q(name__iexact=text)), rows.named_like(text))


def _people(text: str, organisation: Organisation | None) -> list[Any]:
    """Members of the organisation first; anybody, where no member is meant."""
    people: Any = get_user_model()._default_manager
    rows = people.order_by("email", "pk")
    alike = rows.filter(Q(email__icontains=text) | Q(name__icontains=text))
    exact = (Q(email__iexact=text), _public_id(text))
    members = alike.filter(memberships__organisation=organisation)
    return _nearest(rows, exact, members) or list(alike[: OFFERED + 1])


def _nearest(rows: QuerySet[Any], exact: Iterable[Q | None], alike: QuerySet[Any]) -> list[Any]:
    for condition in exact:
        found = list(rows.filter(condition)[: OFFERED + 1]) if condition is not None else []
        if found:
            return found
    return list(alike[: OFFERED + 1])


def _public_id(text: str) -> Q | None:
    try:
        return Q(public_id=UUID(text))
    except ValueError:
        return None


def _members(organisation: Organisation | None) -> list[Choice]:
    if organisation is None:
        return []
    rows = Membership.objects.filter(organisation=organisation).order_by("user__email", "pk")
    return [Choice(name, email) for email, name in rows.values_list("user__email", "user__name")[:LISTED]]
