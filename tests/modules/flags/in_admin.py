"""People and questions that the tests of flags in the admin site share."""

from typing import Any

from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from modules.flags.models import Flag, FlagRelease
from tenants import scope
from tenants.models import AuditEvent
from tests.factories import make_user

LIST = "/admin/flags/flag/"
KILL_SWITCH = f"{LIST}kill-switch/"
DUE = f"{LIST}due/"


def make_looker() -> User:
    """Staff who may look at flags and not change them."""
    user = make_user(is_staff=True)
    with scope.login():
        user.user_permissions.set(Permission.objects.filter(codename="view_flag"))
    return user


def events() -> list[tuple[str, str]]:
    with scope.login():
        return list(AuditEvent.objects.filter(kind="event").order_by("occurred_at").values_list("action", "reason"))


def releases() -> int:
    with scope.login():
        return FlagRelease.objects.count()


def bulk(client: Client, action: str, *flags: Flag, **fields: Any) -> Any:
    return client.post(LIST, {"action": action, "_selected_action": [flag.pk for flag in flags], **fields})


def confirmed(client: Client, action: str, *flags: Flag, **fields: Any) -> Any:
    return bulk(client, action, *flags, confirmed="yes", **{"reason": "because", **fields})


def throw(client: Client, flag: Flag, switch: str = "kill", **fields: Any) -> Any:
    form = {"flag": flag.pk, "switch": switch, "reason": "it burns", **fields}
    return client.post(KILL_SWITCH, form, follow=True)


def text_of(response: Any) -> str:
    assert response.status_code == 200
    return response.content.decode()


def queries_of(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)
