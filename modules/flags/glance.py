"""How many flags are in each state, for the first page of the admin site."""

from django.utils import timezone

from modules.flags.models import Flag


def at_a_glance() -> list[tuple[str, int]]:
    """The states that flags are in, and "due", with how many; one query."""
    numbers = Flag.objects.by_state(timezone.now(), timezone.localdate())
    return [(state, number) for state, number in numbers.items() if number]
