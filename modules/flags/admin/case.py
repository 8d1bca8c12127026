"""One question about flags, with everything that answers it: the release, its rules, and who is asked about."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from modules.flags import explaining, population
from modules.flags.admin.asked import Asked
from modules.flags.answers import Context
from modules.flags.document import Rules, bodies
from modules.flags.evaluation import unknown
from modules.flags.explaining import Explanation
from modules.flags.models import Flag
from modules.flags.releases import snapshot_at
from modules.flags.snapshot import Snapshot, compile_rules, rules_in


@dataclass(frozen=True)
class Case:
    """`at` is the moment in question, and `is_now` whether nobody asked for another one."""

    asked: Asked
    at: datetime
    is_now: bool
    snapshot: Snapshot
    rules: Mapping[str, Rules]
    context: Context

    @property
    def is_past(self) -> bool:
        return not self.is_now and self.at <= timezone.now()

    def told(self, key: str) -> Explanation:
        """Explained without being counted as a use of the flag."""
        return told_in(self.snapshot, key, self.context)

    def told_with(self, changed: Rules, *, is_forced: bool = True) -> Explanation:
        """What the answer would be if the flag's rules were these."""
        rules = {**self.rules, changed.key: changed}
        forced = self.snapshot.forced if is_forced else {}
        snapshot = compile_rules(rules, self.at, version=self.snapshot.version, forced=forced)
        return told_in(snapshot, changed.key, self.context)


def told_in(snapshot: Snapshot, key: str, context: Context) -> Explanation:
    """Without being counted as a use of the flag."""
    flag = snapshot.flags.get(key)
    return explaining.explain(flag, context, snapshot.version) if flag else unknown(key, False, snapshot.version)


def case_of(asked: Asked, snapshot: Snapshot, *, now: datetime) -> Case:
    at = asked.at or now
    return Case(
        asked=asked,
        at=at,
        is_now=asked.at is None,
        snapshot=snapshot,
        rules=rules_in(snapshot.version, snapshot.document),
        context=population.context_of(asked.organisation, asked.person, at=at),
    )


def snapshot_of(at: datetime | None, *, now: datetime) -> Snapshot:
    """Of the newest release as running processes have it, with what the operator forces; of an older one without."""
    snapshot = snapshot_at(at or now)
    return snapshot.with_forced(settings.FLAGS_FORCED) if at is None and settings.FLAGS_FORCED else snapshot


def names_of_flags(snapshot: Snapshot) -> dict[str, str]:
    """By key: those of the release, and those that are there today."""
    names = dict(Flag.objects.values_list("key", "name"))
    told = ((key, body.get("name")) for key, body in bodies(snapshot.document).items() if isinstance(body, dict))
    return {**names, **{key: name for key, name in told if isinstance(name, str)}}
