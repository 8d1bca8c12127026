"""What people may ask of the pages: a search, a selection of prices, a file, a confirmation."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import MaxValueValidator, MinValueValidator

from modules.market_edge_core import price_file
from modules.market_edge_core.csv_file import Unreadable
from modules.market_edge_core.models import Market
from modules.market_edge_core.statistics import DEFAULT_PERIOD, Selection

# Dates that PostgreSQL and Python can both count on from.
BELIEVABLE = [MinValueValidator(date(1970, 1, 1)), MaxValueValidator(date(2200, 1, 1))]


class DayInput(forms.DateInput):
    """The browser's own date field; it wants ISO dates whatever the language."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class SearchForm(forms.Form):
    q = forms.CharField(label="Search markets", max_length=200, required=False)


class SelectionForm(forms.Form):
    """Which prices of a market to describe. What the address leaves out is the latest 90 days of its usual currency."""

    from_date = forms.DateField(
        label="From", validators=BELIEVABLE, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    to_date = forms.DateField(label="To", validators=BELIEVABLE, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    product = forms.ChoiceField(required=False, error_messages={"invalid_choice": "This market has no such product."})
    currency = forms.ChoiceField(error_messages={"invalid_choice": "This market has no prices in that currency."})

    def __init__(
        self, market: Market, latest: Mapping[str, datetime], products: list[str], data: Mapping[str, Any]
    ) -> None:
        """`latest` is the time of the last observation by currency, the usual currency first; not empty."""
        super().__init__({**_defaults(latest, data.get("currency", "")), **{name: data[name] for name in data}})
        self.market = market
        self.fields["product"].choices = [("", "All products"), *((name, name) for name in products)]  # type: ignore[attr-defined]
        self.fields["currency"].choices = [(code, code) for code in latest]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.errors:
            return cleaned
        if self.cleaned_data["from_date"] > self.cleaned_data["to_date"]:
            self.add_error("to_date", "The period ends before it begins.")
        return cleaned

    def selection(self) -> Selection:
        return Selection(self.market, **self.cleaned_data)


def _defaults(latest: Mapping[str, datetime], currency: str) -> dict[str, Any]:
    currency = currency if currency in latest else next(iter(latest))
    to_date = latest[currency].date()
    return {"from_date": to_date - DEFAULT_PERIOD, "to_date": to_date, "currency": currency, "product": ""}


class UploadForm(forms.Form):
    """A price file. Only what is wrong with it as a whole is said here; wrong rows are listed by its preview."""

    file = forms.FileField(label="CSV file", widget=forms.FileInput({"accept": ".csv,.txt,text/csv"}))

    def clean_file(self) -> UploadedFile:
        file = self.cleaned_data["file"]
        if file.size > settings.UPLOAD_LIMIT:
            limit = settings.UPLOAD_LIMIT // 1024**2
            raise ValidationError(f"The file is larger than {limit} MB. Split it and load the parts.")
        self.content = file.read()
        try:
            price_file.open_table(self.content)
        except Unreadable as problem:
            raise ValidationError(str(problem)) from problem
        return file


class ConfirmForm(forms.Form):
    """The hash of the file that the person has looked at."""

    sha256 = forms.RegexField(r"^[0-9a-f]{64}$", widget=forms.HiddenInput)
