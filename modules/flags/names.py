"""Who is meant by the public ids in documents of flags? The names of organisations and the addresses of people."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model

from modules.flags.differences import changed_keys, targets
from modules.flags.document import bodies, is_legible
from tenants.models import Organisation


def names_between(*documents: str) -> dict[str, str]:
    """Of all whom the documents name where neighbours differ, for `differences`. Two queries, however many they are."""
    return names_of_changes(pairwise(bodies(text) for text in documents))


def names_of_changes(pairs: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> dict[str, str]:
    """The same of pairs of bodies by key, before and after."""
    return names_of(target for before, after in pairs for target in _changed(before, after))


def names_of(targets: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Of these, each ("organisation" or "person", public id); who is not here any more has no name."""
    ids: dict[str, set[str]] = defaultdict(set)
    for kind, public_id in targets:
        if _is_public_id(public_id):
            ids[kind].add(public_id)
    people: Any = get_user_model()._default_manager
    organisations = Organisation.objects.filter(public_id__in=ids["organisation"]).values_list("public_id", "name")
    addresses = people.filter(public_id__in=ids["person"]).values_list("public_id", "email")
    return {str(public_id): name for rows in (organisations, addresses) for public_id, name in rows}


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for key in changed_keys(before, after):
        for body in (told[key] for told in (before, after) if key in told):
            yield from targets(body["overrides"]) if is_legible(key, body) else ()


def _is_public_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
