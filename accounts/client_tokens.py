"""Which organisation is this client token for? Tokens open what clients outside may read of one organisation: flags.

One begins with `mec_`, then 32 random bytes. It is kept as its hash alone (random enough to need no salt), beside its
first characters, by which people recognise it.
"""

import hashlib
import logging
import re
import secrets
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError
from django.db.models import Q
from django.utils import timezone

from accounts.models import ClientToken

logger = logging.getLogger(__name__)
BEGINNING = "mec_"
SHAPE = re.compile(rf"{BEGINNING}[A-Za-z0-9_-]{{43}}")
SHOWN = 12  # characters
NOTED_AFTER = timedelta(minutes=5)  # a use is written down at most so often


def new() -> str:
    return BEGINNING + secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def prefix_of(token: str) -> str:
    return token[:SHOWN]


def usable(token: str) -> ClientToken | None:
    """The row of a token that is genuine, not expired and not revoked, with its organisation; one query."""
    if not SHAPE.fullmatch(token):
        return None
    tokens = ClientToken.objects.usable(at=timezone.now()).select_related("organisation")
    return tokens.filter(token_hash=hash_of(token)).first()


def note_use(token: ClientToken, *, at: datetime) -> None:
    """Keep roughly when the token was used last: one write in five minutes, whatever the number of calls."""
    if token.last_used_at and at - token.last_used_at < NOTED_AFTER:
        return
    unnoted = Q(last_used_at=None) | Q(last_used_at__lte=at - NOTED_AFTER)
    try:
        ClientToken.objects.filter(unnoted, pk=token.pk).update(last_used_at=at)
    except (DatabaseError, InterfaceError):
        # Reading goes on where nothing can be written.
        logger.warning("The use of a client token could not be noted", exc_info=True)
