"""One process of the product that answers questions about flags from its standard input, one JSON line for each.

ask KEY      whether the flag is on, and the release that said so
state        what the process knows of the flags
kill KEY     and `restore KEY`: change it here
die KEY      be killed in the middle of changing it
swap KEY KEY kill the one that is on and restore the other, in one release
swaps KEY KEY  the same again and again, until the end
pair KEY KEY which of the two are on, asked again and again for a moment: every answer that was seen
is_published whether the newest release says what the rows say
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import django

NOBODY_IN_PARTICULAR = "0e6b1f3e-0000-4000-8000-000000000000"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketedge.settings")
    django.setup()
    for line in sys.stdin:
        name, _, key = line.strip().partition(" ")
        sys.stdout.write(json.dumps(ANSWERS[name](key)) + "\n")
        sys.stdout.flush()


def ask(key: str) -> Any:
    from modules.flags import evaluation as flags

    told = flags.explain(key, context=flags.Context(organisation=NOBODY_IN_PARTICULAR))
    return {"is_on": told.is_on, "version": told.version}


def state(key: str) -> Any:
    from modules.flags import watching

    return asdict(watching.store.state())


def switch(key: str, action: str) -> Any:
    from modules.flags import actions
    from modules.flags.models import Flag
    from tenants import scope

    with scope.platform():
        getattr(actions, action)(Flag.objects.get(key=key), by=None, reason="a test")
    return "done"


def die(key: str) -> Any:
    from modules.flags import releases
    from modules.flags.models import Flag
    from tenants import scope

    with scope.platform(), releases.change("flag.saved", by=None, reason="a test"):
        Flag.objects.filter(key=key).update(is_killed=True)
        os.kill(os.getpid(), signal.SIGKILL)


def swap(keys: str) -> Any:
    from modules.flags import actions, releases
    from modules.flags.models import Flag
    from tenants import scope

    with scope.platform(), releases.change("flag.saved", by=None, reason="a test"):
        for flag in Flag.objects.filter(key__in=keys.split()).order_by("key"):
            switch = actions.restore_flag if flag.is_killed else actions.kill_flag
            switch(flag, by=None, reason="a test")
    return "done"


def swaps(keys: str) -> Any:
    while True:
        swap(keys)


def pair(keys: str) -> Any:
    from modules.flags import evaluation as flags

    seen, ends_at = set(), time.monotonic() + 0.2
    while time.monotonic() < ends_at:
        with flags.using(flags.Context(NOBODY_IN_PARTICULAR, entitled_modules=frozenset({"market_edge_core"}))):
            seen.add(tuple(slowly(flags.is_on, key) for key in keys.split()))
    return sorted(seen)


def slowly(asked: Callable[[str], bool], key: str) -> bool:
    """With time for a change to arrive before the next question."""
    answer = asked(key)
    time.sleep(0.005)
    return answer


def is_published(nothing: str) -> Any:
    from modules.flags import releases
    from tenants import scope

    with scope.platform():
        return releases.is_published()


ANSWERS = {
    "ask": ask,
    "state": state,
    "kill": lambda key: switch(key, "kill_flag"),
    "restore": lambda key: switch(key, "restore_flag"),
    "die": die,
    "swap": swap,
    "swaps": swaps,
    "pair": pair,
    "is_published": is_published,
}

if __name__ == "__main__":
    main()
