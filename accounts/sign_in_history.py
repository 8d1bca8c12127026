"""When did somebody sign in, why were they refused, and what can be done about it? Read from the audit, for ops."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q

from accounts.models import User
from tenants.models import AuditEvent

LOOKED_BACK = timedelta(days=30)
SHOWN = 5
SIGNED_IN, REFUSED = "person.signed_in", "sign_in.refused"
REMEDIES = {
    "uninvited": "`provision_user EMAIL --organisation SLUG` lets them in",
    "unverified": "they verify the address at the sign-in service, then sign in again",
    "no_address": "their account at the sign-in service gets an e-mail address in plain ASCII, or they use another",
    "address_taken": "they sign in by the account that they used first; another account cannot take over its address",
    "deactivated": "reactivate them in the admin site, if that is right",
    "organisation_unknown": "`provision_organisation SLUG --auth0-id ID` tells which organisation it is",
    "organisation_missing": "they choose their organisation at the sign-in service",
    "organisation_other": "they choose the organisation that they asked for at the sign-in service",
    "organisation_suspended": "the organisation is restored in the admin site, if that is right",
    "stale": "they start again from the sign-in page, in one tab; if it stays, their browser drops cookies",
    "cancelled": "they start again and agree at the sign-in service; if they did, its own log says why it refused them",
    "provider_refused": "look at the sign-in service's own log",
    "provider_down": "`check_idp` says whether the sign-in service answers",
    "bad_token": "`check_idp`, and compare this machine's clock with the sign-in service's",
    "link_not_yours": "they open the link again and sign in with the address that it names",
    "link_used": "`create_platform_admin` makes a new link",
}
UNKNOWN_REMEDY = "the log has more under the incident id"


@dataclass(frozen=True)
class Attempt:
    """One sign-in, or a refusal with its code; `incident` finds its lines in the log."""

    at: datetime
    code: str = ""
    detail: str = ""
    incident: str = ""

    @property
    def was_refused(self) -> bool:
        return bool(self.code)

    @property
    def remedy(self) -> str:
        return REMEDIES.get(self.code, UNKNOWN_REMEDY)


def sign_ins_of(person: User) -> list[Attempt]:
    """The newest first."""
    rows = AuditEvent.objects.filter(actor=person, action=SIGNED_IN).order_by("-occurred_at", "id")[:SHOWN]
    return [_attempt(row) for row in rows]


def refusals_of(email: str, person: User | None, *, at: datetime) -> list[Attempt]:
    """Of the last days, the newest first: by address, by how the provider knows the person, or while signed in."""
    whose = Q(data__email__iexact=email)
    if person:
        subjects = list(person.identities.values_list("subject", flat=True))
        whose |= Q(actor=person) | Q(data__subject__in=subjects)
    rows = AuditEvent.objects.filter(whose, action=REFUSED, occurred_at__gt=at - LOOKED_BACK)
    return [_attempt(row) for row in rows.order_by("-occurred_at", "id")[:SHOWN]]


def refusals_of_nobody(*, at: datetime) -> dict[str, int]:
    """How many refusals of the last day name nobody, by code: they came before the provider said who it was."""
    rows = AuditEvent.objects.filter(action=REFUSED, occurred_at__gt=at - timedelta(days=1), actor=None)
    counted = rows.exclude(data__has_key="email").values("data__code").annotate(times=Count("pk"))
    return {row["data__code"]: row["times"] for row in counted.order_by("-times", "data__code")}


def _attempt(event: Any) -> Attempt:
    code = event.data.get("code", "") if event.action == REFUSED else ""
    return Attempt(event.occurred_at, code, event.data.get("detail", ""), event.request_id)
