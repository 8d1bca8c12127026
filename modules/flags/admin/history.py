"""The history of flags: every release with who, when and why, and what it changed; and any two of them compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ValidationError
from django.core.paginator import Page as PageOfReleases
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from modules.flags.admin.pages import Page
from modules.flags.differences import FlagDifferences, differences_of_bodies
from modules.flags.document import Malformed, bodies
from modules.flags.models import Flag, FlagRelease
from modules.flags.names import names_of_changes
from modules.flags.newest import newest_number, release_that_holds

AT_ONCE = 20  # releases on a page
SHOWN_OF_EACH = 6  # flags of a release in the list
SHOWN = 200  # flags of a comparison
NOTHING: dict[str, Any] = {}


@dataclass(frozen=True)
class Entry:
    """A release and what it changed; `problem` says why that cannot be told. `more` are flags that are left out."""

    release: FlagRelease
    changes: list[FlagDifferences]
    more: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Comparison:
    """What the flags of one document say otherwise than those of another."""

    changes: list[FlagDifferences]
    more: int = 0


class HistoryForm(forms.Form):
    """Which releases; everything is in the address."""

    flag = forms.ChoiceField(required=False)
    author = forms.CharField(required=False, max_length=254, help_text="Part of an address.")
    q = forms.CharField(required=False, max_length=200, label="Reason", help_text="A word of it.")
    since = forms.DateField(required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(required=False, widget=forms.DateInput({"type": "date"}), help_text="This day included.")

    def __init__(self, data: Any) -> None:
        super().__init__(data or None)
        keys = list(Flag.objects.order_by("key").values_list("key", flat=True))
        given = self.data.get("flag", "")
        # A flag that is gone has a history still.
        keys += [given] if given and given not in keys else []
        self.fields["flag"].choices = [("", "All flags"), *((key, key) for key in keys)]  # type: ignore[attr-defined]

    def clean_until(self) -> date | None:
        day: date | None = self.cleaned_data["until"]
        if day == date.max:
            raise ValidationError("Enter a date within the calendar.")  # which has no day after it
        return day

    def releases(self) -> QuerySet[FlagRelease]:
        """Newest first; all of them where the form says nothing, none where it makes no sense."""
        if self.is_bound and not self.is_valid():
            return FlagRelease.objects.none()
        asked = self.cleaned_data if self.is_bound else {}
        found = FlagRelease.objects.that_changed(asked["flag"]) if asked.get("flag") else FlagRelease.objects.all()
        conditions = {
            "author_email__icontains": asked.get("author"),
            "reason__icontains": asked.get("q"),
            "created_at__gte": _midnight(asked.get("since")),
            "created_at__lt": _midnight(asked.get("until"), days=1),
        }
        return found.filter(**{name: value for name, value in conditions.items() if value}).order_by("-number")


def _midnight(day: Any, *, days: int = 0) -> datetime | None:
    if day is None:
        return None
    return timezone.make_aware(datetime.combine(day + timedelta(days=days), time()))


def history(request: HttpRequest, *, model_admin: ModelAdmin) -> HttpResponse:
    asked = {name: str(value) for name, value in request.GET.items() if name in HistoryForm.base_fields and value}
    form = HistoryForm(asked)
    page = Paginator(form.releases().defer("document"), AT_ONCE).get_page(request.GET.get("p"))
    flag = asked.get("flag", "")
    others = request.GET.copy()
    others.pop("p", None)
    context = {
        "title": f"History of {flag}" if flag and not form.errors else "History of flags",
        "form": form,
        "page": page,
        "entries": _entries(page, only=flag),
        "flag": flag,
        "query": others.urlencode(),
        "newest": newest_number(),
        "holds": held_number(),
    }
    return _shown(request, model_admin, "history", context)


def held_number() -> int:
    held = release_that_holds()
    return held.number if held else 0


def _entries(page: PageOfReleases, *, only: str) -> list[Entry]:
    """Three queries, however many there are: documents, organisations, people."""
    releases = list(page)
    numbers = {number for release in releases for number in (release.number, release.number - 1)}
    documents = dict(FlagRelease.objects.filter(number__in=numbers).values_list("number", "document"))
    told = {number: _told(text) for number, text in documents.items()}
    pairs = [_chosen(told.get(one.number - 1, NOTHING), told[one.number], only) for one in releases]
    names = names_of_changes(pair for pair in pairs if pair)
    return [_entry(one, pair, names) for one, pair in zip(releases, pairs, strict=True)]


Pair = tuple[Mapping[str, Any], Mapping[str, Any]]


def _told(text: str) -> Mapping[str, Any] | None:
    """None for a document in a form that this release of the product cannot read."""
    try:
        return bodies(text)
    except Malformed:
        return None


def _chosen(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, only: str) -> Pair | None:
    if before is None or after is None:
        return None
    return (_alone(before, only), _alone(after, only)) if only else (before, after)


def _alone(told: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return {key: told[key]} if key in told else NOTHING


def _entry(release: FlagRelease, pair: Pair | None, names: Mapping[str, str]) -> Entry:
    if pair is None:
        return Entry(release, [], problem="Its document, or the one before, has a form that cannot be read here.")
    compared = compared_bodies(*pair, names=names, most=SHOWN_OF_EACH)
    return Entry(release, compared.changes, compared.more)


def compared_bodies(
    before: Mapping[str, Any], after: Mapping[str, Any], *, names: Mapping[str, str] | None = None, most: int = SHOWN
) -> Comparison:
    names = names_of_changes([(before, after)]) if names is None else names
    changes = differences_of_bodies(before, after, names)
    return Comparison(changes[:most], max(0, len(changes) - most))


def release(request: HttpRequest, number: int, *, model_admin: ModelAdmin) -> HttpResponse:
    one = release_or_404(number)
    context = {
        "title": f"Release {one.number} of the flags",
        "release": one,
        "compared": _between(_document(number - 1), one.document),
        "newest": newest_number(),
        "holds": held_number(),
    }
    return _shown(request, model_admin, "release", context)


def release_or_404(number: int) -> FlagRelease:
    found = FlagRelease.objects.filter(number=number).first() if number < 2**31 else None
    if found is None:
        raise Http404(f"There is no release {number} of the flags.")
    return found


def _document(number: int) -> str:
    return FlagRelease.objects.filter(number=number).values_list("document", flat=True).first() or ""


def _between(before: str, after: str) -> Comparison | None:
    """None where one of the documents cannot be read."""
    told = [_told(text) if text else NOTHING for text in (before, after)]
    if None in told:
        return None
    return compared_bodies(*told)  # type: ignore[arg-type]


class CompareForm(forms.Form):
    """Two releases by their numbers."""

    first = forms.IntegerField(min_value=0, max_value=2**31 - 1, label="From release")
    second = forms.IntegerField(min_value=0, max_value=2**31 - 1, label="to release")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        known = set(FlagRelease.objects.filter(number__in=cleaned.values()).values_list("number", flat=True))
        for name, number in list(cleaned.items()):
            if number and number not in known:
                self.add_error(name, f"There is no release {number}.")
        return cleaned


def compare(request: HttpRequest, *, model_admin: ModelAdmin) -> HttpResponse:
    """Release 0 is the time before the first, without flags."""
    form = CompareForm(request.GET or None)
    context: dict[str, Any] = {"title": "Compare two releases", "form": form, "newest": newest_number()}
    if form.is_valid():
        numbers = (form.cleaned_data["first"], form.cleaned_data["second"])
        context |= {"numbers": numbers, "compared": _between(*(_document(number) for number in numbers))}
    return _shown(request, model_admin, "compare", context)


def _shown(request: HttpRequest, model_admin: ModelAdmin, name: str, context: dict[str, Any]) -> HttpResponse:
    shown = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts, **context}
    shown["may_revert"] = model_admin.has_change_permission(request)
    return TemplateResponse(request, f"admin/flags/{name}.html", shown)


PAGES = (
    Page("history/", history, "flags_history", of_list="History"),
    Page("history/compare/", compare, "flags_compare"),
    Page("history/<int:number>/", release, "flags_release"),
)
