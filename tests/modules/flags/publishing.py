"""What a browser sends from the pages that change flags: the form, its preview, and the publishing of that."""

from typing import Any

from modules.flags.models import FlagRelease

FORM: dict[str, Any] = {
    "key": "new.flag",
    "name": "New",
    "percentage": "12.345",
    "bucket_by": "organisation",
    "reason": "try it",
}


def newest() -> int:
    return FlagRelease.objects.order_by("-number").values_list("number", flat=True).first() or 0


def publish(client: Any, address: str, form: dict[str, Any], *, seen: int | None = None) -> Any:
    """Send a form as its preview does."""
    return client.post(address, {**form, "_publish": "yes", "_seen": newest() if seen is None else seen})


def rows(prefix: str, *given: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    """The fields of rows that can be added and removed."""
    fields: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(given), f"{prefix}-INITIAL_FORMS": initial}
    for number, row in enumerate(given):
        fields |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return fields


def page_of(response: Any) -> str:
    """Its text on one line."""
    assert response.status_code == 200
    return " ".join(response.content.decode().split())
