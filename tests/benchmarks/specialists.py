"""The engines of other products of feature flags, each with the same flags and people in its own words.

Each is asked in the quickest way that its package offers: people are prepared before the clock starts, and around an
engine there is no client with events and metrics, GrowthBook's excepted, which has none. What one of them cannot say is
left out, to its advantage: waffle knows people alone, and Flagsmith and Unleash choose no variants here. Salts and
hashes are their own, so that they agree with us on how many are on, and not on who.
"""

import importlib.util
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / ".local" / "specialists"
Bodies = dict[str, dict[str, Any]]


class Specialist:
    """`ask` gives what there is to give, the reason included where the engine has one; `all` is for one person."""

    name: str
    package: str
    checks = 4_000  # a round
    people = 3
    gives_reasons = True

    def __init__(self, bodies: Bodies, contexts: list[Any]) -> None:
        self.keys = list(bodies)
        self.prepare(bodies)
        self.known = {context: self.person(context) for context in contexts}

    def prepare(self, bodies: Bodies) -> None:
        raise NotImplementedError

    def person(self, context: Any) -> Any:
        return facts(context)

    def ask(self, key: str, person: Any) -> Any:
        raise NotImplementedError

    def all(self, person: Any) -> Any:
        return [self.ask(key, person) for key in self.keys]

    def is_on(self, answer: Any) -> bool:
        raise NotImplementedError


def facts(context: Any) -> dict[str, Any]:
    return {"person": context.person, "organisation": context.organisation, "sector": context.sector}


def share_on(body: dict[str, Any]) -> int:
    """In per cent; none where the flag is not enabled."""
    return body["rollout"] // 1000 if body["enabled"] else 0


class Flagd(Specialist):
    name, package = "flagd-core", "openfeature.contrib.tools.flagd.core"

    def prepare(self, bodies: Bodies) -> None:
        from openfeature.contrib.tools.flagd.core import FlagdCore

        from tests.modules.flags.flagd import flag_set

        self.core = FlagdCore()
        self.core.set_flags(flag_set(bodies))
        self.types = {key: f"resolve_{body['value_type']}_value" for key, body in bodies.items()}
        self.askers = {key: getattr(self.core, name) for key, name in self.types.items()}
        self.off = {key: body["off_value"] for key, body in bodies.items()}

    def person(self, context: Any) -> Any:
        from openfeature.evaluation_context import EvaluationContext

        return EvaluationContext(context.person, facts(context))

    def ask(self, key: str, person: Any) -> Any:
        return self.askers[key](key, self.off[key], person)

    def is_on(self, answer: Any) -> bool:
        return answer.variant not in (None, "off")


class GrowthBook(Specialist):
    """Its client holds one person at a time."""

    name, package = "GrowthBook", "growthbook"

    def prepare(self, bodies: Bodies) -> None:
        from growthbook import GrowthBook as Client

        self.client = Client(features={key: self._feature(body) for key, body in bodies.items()})

    def _feature(self, body: dict[str, Any]) -> dict[str, Any]:
        needs = [{"id": key, "condition": {"value": {"$eq": True}}, "gate": True} for key in body["needs"]]
        rules: list[Any] = [{"condition": one["target"], "force": one["on"]} for one in body["overrides"]]
        rule = {"hashAttribute": body["bucket_by"], "coverage": share_on(body) / 100}
        if body["allowed_sectors"]:
            rule["condition"] = {"sector": {"$regex": f"^({'|'.join(body['allowed_sectors'])})"}}
        values = [one["value"] for one in body["variants"]]
        rule |= {"variations": values, "weights": [1 / len(values)] * len(values)} if values else {"force": True}
        rules.append(rule)
        return {"defaultValue": body["off_value"], "rules": [{**one, "parentConditions": needs} for one in rules]}

    def ask(self, key: str, person: Any) -> Any:
        self.client.set_attributes(person)
        return self.client.eval_feature(key)

    def all(self, person: Any) -> Any:
        self.client.set_attributes(person)
        return [self.client.eval_feature(key) for key in self.keys]

    def is_on(self, answer: Any) -> bool:
        return answer.value not in (False, "none", None)


class Unleash(Specialist):
    name, package, gives_reasons = "UnleashClient's engine", "yggdrasil_engine", False

    def prepare(self, bodies: Bodies) -> None:
        from yggdrasil_engine.engine import UnleashEngine

        self.engine = UnleashEngine()
        self.engine.take_state(json.dumps({"version": 2, "features": [self._feature(*one) for one in bodies.items()]}))

    def _feature(self, key: str, body: dict[str, Any]) -> dict[str, Any]:
        rollout = {"rollout": str(share_on(body)), "stickiness": body["bucket_by"], "groupId": key}
        sectors = [self._constraint("sector", "STR_STARTS_WITH", body["allowed_sectors"])]
        strategies: list[dict[str, Any]] = [
            {"name": "default", "constraints": [self._constraint(kind, "IN", [target])]}
            for one in body["overrides"]
            for kind, target in one["target"].items()
        ]
        gradual: dict[str, Any] = {"name": "flexibleRollout", "parameters": rollout}
        strategies.append({**gradual, "constraints": sectors if body["allowed_sectors"] else []})
        needs = [{"feature": needed} for needed in body["needs"]]
        return {"name": key, "type": "release", "enabled": True, "strategies": strategies, "dependencies": needs}

    def _constraint(self, name: str, operator: str, values: list[str]) -> dict[str, Any]:
        return {"contextName": name, "operator": operator, "values": values}

    def person(self, context: Any) -> Any:
        return {"userId": context.person, "properties": facts(context)}

    def ask(self, key: str, person: Any) -> Any:
        return self.engine.is_enabled(key, person)

    def is_on(self, answer: Any) -> bool:
        return answer.is_enabled


class Flagsmith(Specialist):
    """Always answers for all flags of a person, also when somebody asks for one."""

    name, package, checks, people = "Flagsmith's engine", "flag_engine", 3, 3

    def prepare(self, bodies: Bodies) -> None:
        from flag_engine.engine import get_evaluation_result

        self.evaluate = get_evaluation_result
        self.features = {key: {"key": key, "name": key, "enabled": False, "value": None} for key in bodies}
        self.segments = {key: self._segment(key, body) for key, body in bodies.items() if share_on(body)}
        for key, body in bodies.items():
            for one in body["overrides"]:
                ((kind, target),) = one["target"].items()
                condition = {"property": kind, "operator": "EQUAL", "value": target}
                self.segments[f"{key} for {target}"] = self._opening(key, f"{key} for {target}", [condition], 0)

    def _segment(self, key: str, body: dict[str, Any]) -> dict[str, Any]:
        conditions = [{"property": "$.identity.key", "operator": "PERCENTAGE_SPLIT", "value": str(share_on(body))}]
        if body["allowed_sectors"]:
            pattern = f"^({'|'.join(body['allowed_sectors'])})"
            conditions.append({"property": "sector", "operator": "REGEX", "value": pattern})
        return self._opening(key, key, conditions, 1)

    def _opening(self, key: str, name: str, conditions: list[Any], priority: int) -> dict[str, Any]:
        opened = {**self.features[key], "enabled": True, "priority": priority}
        return {
            "key": name,
            "name": name,
            "rules": [{"type": "ALL", "conditions": conditions}],
            "overrides": [opened],
        }

    def person(self, context: Any) -> Any:
        identity = {"identifier": context.person, "key": context.person, "traits": facts(context)}
        environment = {"key": "environment", "name": "environment"}
        return {
            "environment": environment,
            "identity": identity,
            "segments": self.segments,
            "features": self.features,
        }

    def all(self, person: Any) -> Any:
        return self.evaluate(person)["flags"]

    def ask(self, key: str, person: Any) -> Any:
        return self.all(person)[key]

    def is_on(self, answer: Any) -> bool:
        return answer["enabled"]


class Waffle(Specialist):
    """From a warm cache in memory. It knows no organisations and no sectors: shares are lists of people."""

    name, package, gives_reasons = "django-waffle", "waffle", False

    def prepare(self, bodies: Bodies) -> None:
        from django.core.cache import caches
        from waffle import flag_is_active
        from waffle.models import Flag
        from waffle.utils import get_setting, keyfmt

        self.flag_is_active = flag_is_active
        chance = random.Random(3)
        for number, (key, body) in enumerate(bodies.items(), start=1):
            everyone = {0: False, 100: True}.get(share_on(body))
            flag = Flag(pk=number, name=key, everyone=everyone)
            caches["default"].set(Flag._cache_key(key), flag, None)
            people = {chance.randrange(10_000) for _ in range(share_on(body))}
            caches["default"].set(keyfmt(get_setting("FLAG_USERS_CACHE_KEY"), key), people or "-", None)
            caches["default"].set(keyfmt(get_setting("FLAG_GROUPS_CACHE_KEY"), key), "-", None)

    def person(self, context: Any) -> Any:
        user = SimpleNamespace(pk=int(context.person.rpartition("-")[2]), is_authenticated=True)
        user.is_staff = user.is_superuser = False
        return SimpleNamespace(user=user, GET={}, COOKIES={}, headers={})

    def ask(self, key: str, person: Any) -> Any:
        return self.flag_is_active(person, key)

    def is_on(self, answer: Any) -> bool:
        return bool(answer)


ALL: list[type[Specialist]] = [Flagd, GrowthBook, Unleash, Flagsmith, Waffle]


def installed() -> list[type[Specialist]]:
    """Those whose package is there, and a line on how to get the others. Where `.venv` has a package too, it counts."""
    if FOLDER.is_dir() and str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    there = [one for one in ALL if _is_there(one.package)]
    missing = ", ".join(one.name for one in ALL if one not in there)
    if missing:
        sys.stdout.write(f"flags: not compared with {missing}; `make bench-packages` installs them.\n")
    return there


def prepare_django() -> None:
    """waffle is an application, and finds its flags in Django's cache; no database is asked."""
    from django.conf import settings

    if _is_there(Waffle.package):
        settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, Waffle.package]
    memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 100_000}}
    settings.CACHES = {"default": memory}


def _is_there(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def asking(specialist: Specialist, questions: list[tuple[str, Any]]) -> Callable[[], None]:
    some = [(key, specialist.known[context]) for key, context in questions[: specialist.checks]]

    def ask_each() -> None:
        for key, person in some:
            specialist.ask(key, person)

    return ask_each


def asking_all(specialist: Specialist, contexts: list[Any]) -> Callable[[], None]:
    some = [specialist.known[context] for context in contexts[: specialist.people]]

    def ask_each() -> None:
        for person in some:
            specialist.all(person)

    return ask_each
