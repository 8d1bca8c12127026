"""The provider's pages: whom to be, and short messages. Escaped HTML of its own, without script."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from django.template import Context, Engine

from accounts.demonstration import PEOPLE, DemonstrationPerson

FOLDER = Path(__file__).parent / "templates"
ENGINE = Engine(dirs=[str(FOLDER)])


def choice(pending: str, asked: Mapping[str, str], last: DemonstrationPerson | None) -> str:
    """Everybody once: `last` as the one to continue as, all others in their groups."""
    client = origin_of(asked["redirect_uri"])
    return _page("choice.html", {"pending": pending, "client": client, "last": last, "groups": groups(without=last)})


def message(title: str, words: str) -> str:
    return _page("message.html", {"title": title, "words": words})


def style() -> str:
    return (FOLDER / "style.css").read_text(encoding="utf-8")


def groups(*, without: DemonstrationPerson | None) -> list[tuple[str, list[DemonstrationPerson]]]:
    """Headings with their people, without empty ones."""
    grouped: dict[str, list[DemonstrationPerson]] = {
        "Zebra Associates": [],
        "Client organisations": [],
        "People who cannot get in": [],
    }
    for person in PEOPLE:
        if person != without:
            grouped[_group_of(person)].append(person)
    return [(heading, people) for heading, people in grouped.items() if people]


def _group_of(person: DemonstrationPerson) -> str:
    if not (person.is_known and person.is_active):
        return "People who cannot get in"
    return "Zebra Associates" if person.is_staff else "Client organisations"


def origin_of(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def _page(name: str, context: dict[str, object]) -> str:
    return ENGINE.get_template(name).render(Context(context, autoescape=True))
