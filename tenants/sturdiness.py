"""Values that no form of Django's admin site ever sends, and over which it stumbles: left out, or refused with 400."""

from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import BadRequest
from django.http import HttpRequest, QueryDict

LONGEST_ID = 18


def is_id(value: Any) -> bool:
    """Could this be the id of a row? A bigint, as text or number."""
    text = str(value)
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID


def require_readable(query: QueryDict) -> None:
    """BadRequest for what the database or the calendar cannot hold, which list filters would pass on to them."""
    for name, values in query.lists():
        if name.endswith("regex"):
            raise BadRequest("Lists are not searched by patterns.")
        is_part_of_date = name.endswith(("__year", "__month", "__day"))
        for value in values:
            if "\x00" in value or (is_part_of_date and not (is_id(value) and len(value) <= 4)):
                raise BadRequest("The address holds a value that cannot be searched for.")


def without_impossible_choices(request: HttpRequest) -> None:
    """Leave out ticked rows that cannot be rows."""
    posted = request.POST.copy()
    posted.setlist(ACTION_CHECKBOX_NAME, [pk for pk in posted.getlist(ACTION_CHECKBOX_NAME) if is_id(pk)])
    request.POST = posted  # type: ignore[assignment]


class SturdyAutocomplete(AutocompleteSelect):
    """Shows nothing chosen where the value cannot be an id; the field has its error beside it."""

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        return super().optgroups(name, [chosen for chosen in value if is_id(chosen)], attrs)
