"""What the provider knows: its settings, its key, who is signed in, and what is still to be answered."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from accounts.demonstration import ORGANISATIONS, DemonstrationOrganisation, DemonstrationPerson
from accounts.local_provider.keys import Signer
from accounts.local_provider.memory import Memory
from accounts.local_provider.tokens import LIFETIME, Faults, Session

PAGE_LIFETIME = 3600
CODE_LIFETIME = 60
SESSION_LIFETIME = 12 * 3600


@dataclass(frozen=True)
class ProviderSettings:
    """Whom the provider serves: one client, with the exact addresses that it may send people back to."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    logout_redirect_uris: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    backchannel_logout_uri: str = ""

    @property
    def base(self) -> str:
        return self.issuer.rstrip("/")


@dataclass(frozen=True)
class Grant:
    """What a code stands for until it is spent: the question, and who answered it."""

    asked: dict[str, str]
    session: Session


@dataclass(frozen=True)
class Access:
    """What an access token opens at /userinfo."""

    person: DemonstrationPerson
    scope: str


class State:
    """`settings` may be set again once the port is known, `faults` at any time."""

    def __init__(self, settings: ProviderSettings, faults: Faults | None, clock: Callable[[], float]) -> None:
        self.settings = settings
        self.faults = faults or Faults()
        self.clock = clock
        self.signer = Signer()
        self.pending: Memory[dict[str, str]] = Memory(PAGE_LIFETIME, clock)
        self.grants: Memory[Grant] = Memory(CODE_LIFETIME, clock)
        self.spent: Memory[str] = Memory(LIFETIME, clock)  # code -> the access token it became
        self.access: Memory[Access] = Memory(LIFETIME, clock)
        self.sessions: Memory[Session] = Memory(SESSION_LIFETIME, clock)
        self.told: Memory[str] = Memory(SESSION_LIFETIME, clock)  # sid -> the client that was told of the session

    def session(self, key: str, asked: dict[str, str]) -> Session | None:
        """The browser's session, unless the client wants people to sign in anew, or sooner than they did."""
        session = self.sessions.get(key)
        if session is None or "login" in asked.get("prompt", "").split():
            return None
        is_old = "max_age" in asked and self.clock() - session.signed_in_at > int(asked["max_age"])
        return None if is_old else session

    def begin_session(self, person: DemonstrationPerson, *, instead_of: str) -> tuple[str, Session]:
        self.sessions.take(instead_of)
        session = Session(person, secrets.token_urlsafe(12), self.clock())
        return self.sessions.keep(session), session


def organisation_of(asked: dict[str, str]) -> DemonstrationOrganisation | None:
    """The organisation that the client asks people to sign in to, by id or name as at Auth0."""
    wanted = asked.get("organization", "")
    return next((shown for shown in ORGANISATIONS if wanted in (shown.auth0_id, shown.slug)), None)


def is_member(person: DemonstrationPerson, organisation: DemonstrationOrganisation) -> bool:
    return organisation.slug in dict(person.roles)
