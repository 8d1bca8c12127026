"""Flags and contexts by chance, the same for the same seed: every rung of the ladder decides now and then.

Shares often end exactly at the place of somebody who is asked about, or one beside it, where a mistake would hide.
"""

import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import mmh3

from modules.flags.answers import Context
from tests.modules.flags import flagd
from tests.modules.flags.documents import body, override

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
MOMENTS = [AT + timedelta(days=day) for day in (-2, -1, 0, 1, 2)]
SECTORS = ("59140", "55100", "93130", "47520", "01110", "")
PREFIXES = ("59", "591", "55100", "93", "01", "4752")
MODULES = ("market_edge_core", "alert_system")
SALTS = ("banner", "Preis-Übersicht", "a:b", "価格", "new_checkout.v2", "🙂")
VALUES: dict[str, list[Any]] = {
    "boolean": [True, False],
    "string": ["red", "", "blue"],
    "integer": [0, 7, -1],
    "float": [0.5, 2.0, -1e9],
    "object": [{"colour": "red"}, {}, {"sizes": [1, 2]}],
}


class Generated:
    """`bodies` by key, and `contexts` of people of a few organisations, of nobody, and of who is known by half."""

    def __init__(self, seed: int, flags: int, contexts: int) -> None:
        self.chance = random.Random(seed)
        self.organisations = [self._public_id() for _ in range(8)]
        self.people = [self._public_id() for _ in range(contexts)]
        self.contexts = [self._context(person) for person in self.people]
        self.bodies: dict[str, dict[str, Any]] = {}
        for number in range(flags):
            self.bodies[f"flag{number}"] = self._body()

    def _public_id(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def _context(self, person: str) -> Context:
        is_known, is_inside = self.chance.random() < 0.95, self.chance.random() < 0.95
        modules = frozenset(module for module in MODULES if self.chance.random() < 0.7)
        return Context(
            organisation=self.chance.choice(self.organisations) if is_inside else "",
            person=person if is_known else "",
            sector=self.chance.choice(SECTORS),
            entitled_modules=modules if self.chance.random() < 0.9 else None,
        )

    def _body(self) -> dict[str, Any]:
        """Either a percentage or variants, since the head of a salt serves one text; who needs the one has both."""
        changes = self._varied() if self.chance.random() < 0.4 else self._counted()
        starts_at, ends_at = self._period(0.2)
        return body(
            killed=self._is(0.04),
            archived=self._is(0.02),
            enabled=self._is(0.85),
            module=self.chance.choice(MODULES) if self._is(0.2) else "",
            starts_at=starts_at,
            ends_at=ends_at,
            needs=self._needs(),
            allowed_sectors=self.chance.sample(PREFIXES, 3) if self._is(0.25) else [],
            blocked_sectors=self.chance.sample(PREFIXES, 1) if self._is(0.25) else [],
            overrides=self._overrides([one["name"] for one in changes.get("variants", [])]),
            **changes,
        )

    def _is(self, share: float) -> bool:
        return self.chance.random() < share

    def _needs(self) -> list[str]:
        return [self.chance.choice(list(self.bodies))] if self.bodies and self._is(0.25) else []

    def _period(self, share: float) -> tuple[str | None, str | None]:
        if not self._is(share):
            return None, None
        first, second = (at.isoformat() for at in sorted(self.chance.sample(MOMENTS, 2)))
        return self.chance.choice([(first, second), (first, None), (None, second)])

    def _counted(self) -> dict[str, Any]:
        words, bucket_by = self.chance.choice(SALTS), self.chance.choice(["person", "organisation"])
        salt = flagd.salted(words, ":", 36)
        steps = sorted(self.chance.sample(MOMENTS, 2)) if self._is(0.2) else []
        ramp = [{"at": at.isoformat(), "rollout": self._edge(salt, ":", bucket_by, 100_000)} for at in steps]
        rollout = self.chance.choice([0, 100_000, *[self._edge(salt, ":", bucket_by, 100_000) for _ in range(6)]])
        return {"salt": salt, "bucket_by": bucket_by, "ramp": ramp, "rollout": rollout}

    def _varied(self) -> dict[str, Any]:
        words, bucket_by = self.chance.choice(SALTS), self.chance.choice(["person", "organisation"])
        salt, kind = flagd.salted(words, ":variant:", 36), self.chance.choice(list(VALUES))
        total = self.chance.choice([2, 3, 100, 1_000, 99_991, 100_000])
        first = self._edge(salt, ":variant:", bucket_by, total)
        second = total - first if len(VALUES[kind]) == 2 else self.chance.randrange(total - first + 1)
        weights = (first, second, total - first - second)
        return {
            "salt": salt,
            "bucket_by": bucket_by,
            "value_type": kind,
            "off_value": self.chance.choice(VALUES[kind]),
            "rollout": self.chance.choice([0, *[100_000] * 9]),
            "variants": [
                {"name": f"v{place}", "value": value, "weight": weight}
                for place, (value, weight) in enumerate(zip(VALUES[kind], weights, strict=False))
            ],
        }

    def _edge(self, salt: str, middle: str, bucket_by: str, total: int) -> int:
        """Anything, or a share that ends just before or just after somebody's place."""
        unit = self.chance.choice(self.people if bucket_by == "person" else self.organisations)
        place = mmh3.hash(f"{salt}{middle}{unit}", signed=False) * total >> 32
        return self.chance.choice([self.chance.randrange(total + 1), place, place + 1])

    def _overrides(self, variants: list[str]) -> list[dict[str, Any]]:
        targets = [{"organisation": one} for one in self.organisations] + [{"person": one} for one in self.people]
        return [self._override(target, variants) for target in self.chance.sample(targets, self.chance.randrange(5))]

    def _override(self, target: dict[str, str], variants: list[str]) -> dict[str, Any]:
        starts_at, expires_at = self._period(0.5)
        is_on = self._is(0.6)
        variant = self.chance.choice(["", *variants]) if is_on else ""
        return override(target=target, on=is_on, variant=variant, starts_at=starts_at, expires_at=expires_at)
