"""The provider's public keys: kept for a while, and for a day when the provider is down; asked for once, for all."""

import logging
import math
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings

from accounts import bounded_http
from accounts.bounded_http import Budget, NoAnswer
from accounts.refusals import BAD_TOKEN, PROVIDER_DOWN, Refused

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

logger = logging.getLogger(__name__)
FRESH = 600  # seconds that keys are used without asking again
KEPT = 24 * 3600  # seconds that they are used while the provider does not answer
UNKNOWN_COOL_DOWN = 30  # seconds between questions for keys that nobody knew
FAILURE_COOL_DOWN = 5  # seconds between questions to a provider that did not answer
MORE_PATIENCE = 1.0  # seconds that somebody would wait longer than who asked in vain, and so asks again at once
READ_LIMIT = 3.0  # seconds for the keys, when older ones could be used instead
BITS = range(2048, 8193)


@dataclass(frozen=True)
class SigningKey:
    kid: str | None
    public: "RSAPublicKey"


@dataclass(frozen=True)
class Known:
    """What one reading of the address `source` found."""

    source: str = ""
    keys: tuple[SigningKey, ...] = ()
    read_at: float = -math.inf

    def find(self, kid: str | None) -> "RSAPublicKey | None":
        """The only key of that name; without a name, the only key there is."""
        fitting = [key.public for key in self.keys if kid is None or key.kid == kid]
        return fitting[0] if len(fitting) == 1 else None

    def is_younger_than(self, seconds: float) -> bool:
        return self.source == settings.OIDC_OP_JWKS_ENDPOINT and time.monotonic() - self.read_at < seconds


@dataclass
class KeyStore:
    """Who needs a key that is known and fresh never waits, whatever goes on at the provider meanwhile."""

    known: Known = field(default_factory=Known)
    failed_at: float = -math.inf
    failed_within: float = 0.0  # seconds that the question which failed had
    unknown_at: float = -math.inf
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _asking: threading.Event | None = None

    def key(self, kid: str | None, budget: Budget) -> "RSAPublicKey":
        """The key called `kid`; Refused when there is none, or the provider cannot be asked for it."""
        known = self.known
        found = known.find(kid)
        if found and known.is_younger_than(FRESH):
            return found
        if self._may_ask(is_unknown=found is None and known.is_younger_than(FRESH)):
            self._ask_once(budget.at_most(READ_LIMIT) if found else budget, can_go_on=found is not None)
        if not found and self._failed_too_soon_for(budget):
            self._ask_once(budget, can_go_on=False)
        if not self.known.is_younger_than(KEPT):
            raise Refused(PROVIDER_DOWN, "no keys of the provider are known")
        found = self.known.find(kid)
        if found is None:
            raise Refused(BAD_TOKEN, "unknown key")
        return found

    def is_at_hand(self, kid: str | None) -> bool:
        """Whether `key` has an answer without waiting for somebody else's question; one at a time may ask by itself."""
        known = self.known
        return known.is_younger_than(KEPT) and known.find(kid) is not None

    def _may_ask(self, *, is_unknown: bool) -> bool:
        """Anybody can invent names of keys, so those who do make us ask only now and then."""
        now = time.monotonic()
        with self._lock:
            if self._asking:
                return True
            if now - self.failed_at < FAILURE_COOL_DOWN or (is_unknown and now - self.unknown_at < UNKNOWN_COOL_DOWN):
                return False
            if is_unknown:
                self.unknown_at = now
            return True

    def _failed_too_soon_for(self, budget: Budget) -> bool:
        """Calls of the API wait less than a sign-in: where they gave up, the provider may only be slow."""
        has_failed = self.failed_at > self.known.read_at
        return has_failed and _patience(budget) > self.failed_within + MORE_PATIENCE

    def _ask_once(self, budget: Budget, *, can_go_on: bool) -> None:
        """Ask, or wait for the one who is asking already, unless an older key is good enough to go on with."""
        with self._lock:
            asking = self._asking
            if asking is None:
                self._asking = done = threading.Event()
        if asking:
            if not can_go_on:
                asking.wait(budget.left())
            return
        patience = _patience(budget)
        try:
            self.known = _read(budget)
        except NoAnswer as fault:
            self.failed_at, self.failed_within = time.monotonic(), patience
            logger.warning("The provider's keys could not be read: %s", fault)
        finally:
            with self._lock:
                self._asking = None
            done.set()


def _patience(budget: Budget) -> float:
    """Seconds that are left; none is no fault here."""
    return budget.ends_at - time.monotonic()


def _read(budget: Budget) -> Known:
    source = settings.OIDC_OP_JWKS_ENDPOINT
    answer = bounded_http.ask(source, budget)
    if answer.status != 200:
        raise NoAnswer(f"status {answer.status}")
    listed = answer.json_object().get("keys")
    if not isinstance(listed, list):
        raise NoAnswer("no list of keys")
    found = [key for entry in listed if (key := _signing_key(entry))]
    return Known(source, tuple(found), time.monotonic())


def _signing_key(entry: Any) -> SigningKey | None:
    """The entry as a key that may have signed our tokens: RSA, public, long enough, for signatures by RS256."""
    if not isinstance(entry, dict) or entry.get("kty") != "RSA" or "d" in entry:
        return None
    if entry.get("use", "sig") != "sig" or entry.get("alg", "RS256") != "RS256":
        return None
    if "key_ops" in entry and entry["key_ops"] != ["verify"]:
        return None
    kid = entry.get("kid")
    public = _public(entry)
    if public is None or not (kid is None or isinstance(kid, str)):
        return None
    return SigningKey(kid, public) if public.key_size in BITS else None


def _public(entry: dict[str, Any]) -> "RSAPublicKey | None":
    # Imported here: they are heavy, and start-up does without them.
    from jwt import InvalidKeyError
    from jwt.algorithms import RSAAlgorithm

    try:
        return RSAAlgorithm.from_jwk(entry)  # type: ignore[return-value]
    except (InvalidKeyError, ValueError, TypeError, AttributeError):
        return None


key_store = KeyStore()
