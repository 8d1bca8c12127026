"""Sessions in the database, each knowing whose it is; keys that Django never made are refused."""

from datetime import datetime
from typing import Any

from django.contrib.auth import SESSION_KEY as PERSON
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.http import HttpRequest
from django.utils import timezone

SIGNED_IN_AT = "signed_in_at"
PROVIDER_SESSION = "provider_session"


class SessionStore(DatabaseSessionStore):
    @classmethod
    def get_model_class(cls) -> Any:
        # Imported here: the engine is loaded before there are models.
        from accounts.models import Session

        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """The columns beside the contents repeat what is in them, so that people's sessions can be found."""
        row: Any = super().create_model_instance(data)
        row.person_id = int(data[PERSON]) if PERSON in data else None
        row.provider_session = data.get(PROVIDER_SESSION, "")
        row.signed_in_at = datetime.fromisoformat(data[SIGNED_IN_AT]) if SIGNED_IN_AT in data else None
        return row

    def _validate_session_key(self, key: str | None) -> bool:
        # A cookie may hold anything, characters that PostgreSQL refuses included.
        return key is not None and key.isalnum() and key.isascii() and 8 <= len(key) <= 40


def note_sign_in(request: HttpRequest, *, provider_session: str = "") -> None:
    """Keep in the session that somebody signed in just now, and the provider's name for their session (`sid`)."""
    request.session[SIGNED_IN_AT] = timezone.now().isoformat()
    request.session[PROVIDER_SESSION] = provider_session
