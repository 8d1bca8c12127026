"""Values that no form of Django's admin site ever sends, and over which it stumbles: left out, or refused with 400."""

from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import TO_FIELD_VAR
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import BadRequest
from django.http import HttpRequest, QueryDict

LONGEST_ID = 18
NOT_SEARCHED = {"regex", "iregex", "range", "iso_year"}  # whose values Django takes as they come
LAST_YEAR = 9999
PARTS_OF_DATES = {"year", "month", "day"}


def is_id(value: Any) -> bool:
    """Could this be the id of a row? A bigint, as text or number."""
    text = str(value)
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID


def require_readable(query: QueryDict) -> None:
    """BadRequest for what the database or the calendar cannot hold, which list filters would pass on to them."""
    for name, values in query.lists():
        _, *steps = name.split("__")
        if not NOT_SEARCHED.isdisjoint(steps):
            raise BadRequest("Lists are not searched by patterns and ranges.")
        is_part_of_date = not PARTS_OF_DATES.isdisjoint(steps)
        for value in values:
            if "\x00" in value or (is_part_of_date and not _is_part_of_date(value)):
                raise BadRequest("The address holds a value that cannot be searched for.")
    if "" in query.getlist(TO_FIELD_VAR):
        raise BadRequest("The address names no field to look rows up by.")


def _is_part_of_date(value: str) -> bool:
    """A year's end is the next one's beginning, so the calendar's last year is none."""
    return is_id(value) and len(value) <= 4 and 0 < int(value) < LAST_YEAR


def without_impossible_choices(request: HttpRequest) -> None:
    """Leave out ticked rows that cannot be rows."""
    posted = request.POST.copy()
    posted.setlist(ACTION_CHECKBOX_NAME, [pk for pk in posted.getlist(ACTION_CHECKBOX_NAME) if is_id(pk)])
    request.POST = posted  # type: ignore[assignment]


class SturdyAutocomplete(AutocompleteSelect):
    """Shows nothing chosen where the value cannot be an id; the field has its error beside it."""

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        return super().optgroups(name, [chosen for chosen in value if is_id(chosen)], attrs)
