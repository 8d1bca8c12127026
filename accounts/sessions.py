"""Sessions in the database, each knowing whose it is and when it ends; keys that Django never made are refused.

A session ends after SESSION_HOURS, whatever its person does, and after SESSION_IDLE_MINUTES in which they do nothing.
Its row expires at the earlier of the two, so that nothing is left to check when it is read.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY as PERSON
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.http import HttpRequest
from django.utils import timezone

SIGNED_IN_AT = "signed_in_at"
PROVIDER_SESSION = "provider_session"
# A visit is written down when the session would live at least this part of its idle time longer: no write per request.
NOTED_PART = 12


class SessionStore(DatabaseSessionStore):
    expires_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> Any:
        # Imported here: the engine is loaded before there are models.
        from accounts.models import Session

        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """The columns beside the contents repeat what is in them, so that people's sessions can be found."""
        row: Any = super().create_model_instance(data)
        row.expire_date = self.row_expires_at()
        row.person_id = int(data[PERSON]) if PERSON in data else None
        row.provider_session = data.get(PROVIDER_SESSION, "")
        row.signed_in_at = datetime.fromisoformat(data[SIGNED_IN_AT]) if SIGNED_IN_AT in data else None
        return row

    def get_expiry_date(self, **options: Any) -> datetime:
        """When everybody has to sign in again; the cookie lives until then."""
        began = datetime.fromisoformat(self[SIGNED_IN_AT]) if SIGNED_IN_AT in self else timezone.now()
        return began + timedelta(hours=settings.SESSION_HOURS)

    def get_expiry_age(self, **options: Any) -> int:
        return max(0, int((self.get_expiry_date() - timezone.now()).total_seconds()))

    def row_expires_at(self) -> datetime:
        return min(self.get_expiry_date(), timezone.now() + timedelta(minutes=settings.SESSION_IDLE_MINUTES))

    def note_visit(self) -> None:
        """Let the idle time begin anew. Only the row's end is written: its contents may be changing elsewhere."""
        later = self.row_expires_at()
        if self.expires_at and later - self.expires_at >= timedelta(minutes=settings.SESSION_IDLE_MINUTES / NOTED_PART):
            self.model.objects.filter(session_key=self.session_key).update(expire_date=later)

    def _get_session_from_db(self) -> Any:
        row = super()._get_session_from_db()  # type: ignore[misc]
        self.expires_at = row.expire_date if row else None
        return row

    def _validate_session_key(self, key: str | None) -> bool:
        # A cookie may hold anything, characters that PostgreSQL refuses included.
        return key is not None and key.isalnum() and key.isascii() and 8 <= len(key) <= 40


def note_sign_in(request: HttpRequest, *, provider_session: str = "") -> None:
    """Keep in the session that somebody signed in just now, and the provider's name for their session (`sid`)."""
    request.session[SIGNED_IN_AT] = timezone.now().isoformat()
    request.session[PROVIDER_SESSION] = provider_session
