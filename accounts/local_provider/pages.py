"""The provider's pages: whom to be, and short messages. Escaped HTML of its own, without script."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from django.template import Context, Engine

from accounts.demonstration import PEOPLE, DemonstrationPerson
from accounts.local_provider.keys import Signer
from accounts.local_provider.state import ProviderSettings, organisation_of
from accounts.local_provider.tokens import Session

FOLDER = Path(__file__).parent / "templates"
ENGINE = Engine(dirs=[str(FOLDER)])


def choice(pending: str, asked: dict[str, str], last: DemonstrationPerson | None) -> str:
    """Everybody once: `last` as the one to continue as, all others in their groups."""
    organisation = organisation_of(asked)
    context = {
        "pending": pending,
        "client": origin_of(asked["redirect_uri"]),
        "organisation": organisation,
        "last": last,
        "groups": groups(without=last),
    }
    return _page("choice.html", context)


def home(settings: ProviderSettings, signer: Signer, session: Session | None, pending: str) -> str:
    """What this is, and the keys; `pending` is what the form proves itself by."""
    client = origin_of(settings.redirect_uris[0]) if settings.redirect_uris else ""
    return _page("home.html", {"client": client, "keys": signer.keys, "session": session, "pending": pending})


def question(pending: str, person: DemonstrationPerson) -> str:
    return _page("question.html", {"pending": pending, "person": person})


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


def _page(name: str, context: Mapping[str, object]) -> str:
    return ENGINE.get_template(name).render(Context(dict(context), autoescape=True))
