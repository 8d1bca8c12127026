"""Is somebody asking too often? Counted for a person in an application, or for a browser nobody is known in yet.

An address alone is never held to what one person may do: a whole office stands behind it. It has a ceiling that only
a flood reaches. Counts are shared by all processes, in one statement for a request; while the database does not answer,
each process counts for itself.
"""

import logging
import math
import secrets
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.crypto import salted_hmac

from accounts.rates import ProcessLimiter, Rate, Use
from tenants import api
from tenants.client_address import client_address, network_of
from tenants.postgresql import deadline, faults

logger = logging.getLogger(__name__)
PATIENCE = 0.5  # seconds that a request waits for its count at most
AWAY = 10.0  # seconds that the store is left alone after it did not answer
COOKIE_LIFETIME = 24 * 3600
COOKIE_SALT = "accounts.limits"

# Callers within all their limits are written, others only read: a flood of refused calls writes nothing, and takes
# nothing from those who share an address with it. Where another call was quicker, the row itself refuses.
COUNT = """
WITH asked AS (
    SELECT * FROM unnest(%(keys)s::text[], %(spacings)s::float8[], %(depths)s::float8[]) AS use (key, spacing, depth)
), before AS (
    SELECT key, full_at FROM accounts_ratelimituse WHERE key = ANY(%(keys)s::text[])
), counted AS (
    INSERT INTO accounts_ratelimituse AS held (key, full_at)
    SELECT key, statement_timestamp() + spacing * interval '1 second' FROM asked
    WHERE NOT EXISTS (
        SELECT FROM asked JOIN before USING (key)
        WHERE extract(epoch FROM before.full_at - statement_timestamp()) + spacing > depth
    )
    ORDER BY key
    ON CONFLICT (key) DO UPDATE
    SET full_at = greatest(held.full_at, statement_timestamp()) + (excluded.full_at - statement_timestamp())
    WHERE greatest(held.full_at, statement_timestamp()) + (excluded.full_at - statement_timestamp())
          <= statement_timestamp() + (SELECT depth FROM asked WHERE asked.key = held.key) * interval '1 second'
    RETURNING key
)
SELECT max(greatest(0.001, extract(epoch FROM before.full_at - statement_timestamp()) + spacing - depth))
FROM asked LEFT JOIN before USING (key) WHERE key NOT IN (SELECT key FROM counted)
"""


class SharedLimiter:
    """Counts in the database, for all processes together."""

    def __init__(self) -> None:
        self._away_until = -math.inf

    def seconds_to_wait(self, uses: list[Use]) -> float:
        """Count the call; 0 when it is within all limits, else seconds until it would be."""
        now = time.monotonic()
        if now < self._away_until:
            return process_limiter.seconds_to_wait(uses, now=now)
        try:
            return _count(uses)
        except (DatabaseError, InterfaceError) as fault:
            if connection.in_atomic_block:
                raise
            # What the server may still answer to it belongs to nobody.
            connection.close()
            self._away_until = time.monotonic() + AWAY
            logger.warning("Limits are counted by each process alone for %g s: %s", AWAY, faults.describe(fault))
            return process_limiter.seconds_to_wait(uses, now=now)


def _count(uses: list[Use]) -> float:
    told: Any = {
        "keys": [use.key for use in uses],
        "spacings": [use.rate.spacing for use in uses],
        "depths": [use.rate.depth for use in uses],
    }
    with deadline.within(PATIENCE), connection.cursor() as cursor:
        cursor.execute(COUNT, told)
        return float(cursor.fetchone()[0] or 0)


def require_api_calls_left(person: Any, client: str) -> None:
    """Count a call of the person in the application; Problem 429 when there were too many."""
    rate = Rate(*settings.API_RATE)
    _require(shared_limiter.seconds_to_wait([Use(_key("api", person.pk, client), rate)]))


def require_client_calls_left(token: str) -> None:
    """Count a call with the client token of this number; Problem 429 when there were too many."""
    rate = Rate(*settings.CLIENT_TOKEN_RATE)
    _require(shared_limiter.seconds_to_wait([Use(_key("client-token", token), rate)]))


def require_unknown_calls_left(request: HttpRequest) -> None:
    """Count a call of nobody known, in this process alone: it must not cost the database anything."""
    use = Use(_address_key("api", request), Rate(*settings.ADDRESS_RATE))
    _require(process_limiter.seconds_to_wait([use], now=time.monotonic()))


def _require(seconds: float) -> None:
    if seconds > 0:
        raise api.Problem(429, "too_many_requests", _advice(seconds), headers=_retry(seconds))


def limit_sign_in(view: Callable[..., Any]) -> Callable[..., Any]:
    """Counts each step of signing in for the browser, and for its address against the ceiling; 429 beyond."""

    @wraps(view)
    def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        browser = _browser(request)
        seconds = shared_limiter.seconds_to_wait(_sign_in_uses(request, browser))
        response = too_many(request, seconds) if seconds > 0 else view(request, *args, **kwargs)
        if not browser:
            _name_browser(response)
        return response

    return limited


def _sign_in_uses(request: HttpRequest, browser: str) -> list[Use]:
    """A flood without our cookie fills a ceiling of its own: browsers that have one share another."""
    ceiling = Rate(*settings.ADDRESS_RATE)
    if not browser:
        return [Use(_address_key("sign-in", request), ceiling)]
    own = Use(_key("sign-in", browser), Rate(*settings.SIGN_IN_RATE))
    return [Use(_address_key("named-sign-in", request), ceiling), own]


def _browser(request: HttpRequest) -> str:
    """The name that we gave the browser; empty for a new one, which its address stands for."""
    return request.get_signed_cookie(cookie_name(), "", salt=COOKIE_SALT, max_age=COOKIE_LIFETIME) or ""


def _name_browser(response: HttpResponse) -> None:
    response.set_signed_cookie(
        cookie_name(),
        secrets.token_urlsafe(16),
        salt=COOKIE_SALT,
        max_age=COOKIE_LIFETIME,
        secure=settings.SECURE_COOKIES,
        httponly=True,
        samesite="Lax",
    )


def cookie_name() -> str:
    return f"{settings.COOKIE_PREFIX}browser"


def too_many(request: HttpRequest, seconds: float) -> HttpResponse:
    if api.is_api(request):
        return api.error(request.path_info, 429, "too_many_requests", _advice(seconds), headers=_retry(seconds))
    page = render_to_string("429.html", {"advice": _advice(seconds), "contact": settings.CONTACT})
    return HttpResponse(page, status=429, headers=_retry(seconds))


def _advice(seconds: float) -> str:
    whole = math.ceil(seconds)
    return f"That was too often in a short time. Try again in {whole} second{'' if whole == 1 else 's'}."


def _retry(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(math.ceil(seconds))}


def _address_key(what: str, request: HttpRequest) -> str:
    return _key(f"{what}-address", network_of(client_address(request)))


def _key(what: str, *parts: object) -> str:
    """Names nobody: who reads the table learns no address and no person."""
    return f"{what}:{salted_hmac('accounts.limits', repr(parts), algorithm='sha256').hexdigest()[:32]}"


process_limiter = ProcessLimiter()
shared_limiter = SharedLimiter()
