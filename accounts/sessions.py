"""Sessions in the database, as Django's, refusing keys that Django never made."""

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore


class SessionStore(DatabaseSessionStore):
    def _validate_session_key(self, key: str | None) -> bool:
        # A cookie may hold anything, characters that PostgreSQL refuses included.
        return key is not None and key.isalnum() and key.isascii() and 8 <= len(key) <= 40
