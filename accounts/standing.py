"""Who is behind an address, and could they sign in? Told to ops; no key and no whole subject is in it."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from accounts import sign_in_history
from accounts.models import Invitation, User
from accounts.naming import nearest_addresses
from accounts.sign_in_history import Attempt
from tenants.models import Membership
from tenants.operations import Report

MOMENT = "%d %b %Y %H:%M UTC"


def tell_standing(report: Report, email: str, *, at: datetime) -> User | None:
    """Tell who it is, what keeps them out, and what they did last; returns the person, if there is one."""
    person = User.objects.with_email(email).first()
    invitations = list(Invitation.objects.for_address(email).select_related("organisation").order_by("-created_at"))
    report.data["address"] = email
    if person is None:
        _tell_stranger(report, email, invitations, at)
    else:
        _tell_person(report, person)
        _tell_identities(report, person)
        _tell_memberships(report, person)
        _tell_sessions(report, person, at)
    _tell_invitations(report, invitations, at)
    # Last, since a long audit may take the time that there is: what stands above is told anyway.
    sign_ins = sign_in_history.sign_ins_of(person) if person else []
    refusals = sign_in_history.refusals_of(email, person, at=at)
    _tell_history(report, sign_ins, refusals, _overcome(report))
    _tell_refusals_of_nobody(report, at)
    return person


def _tell_stranger(report: Report, email: str, invitations: Sequence[Invitation], at: datetime) -> None:
    report.data["person"] = None
    if any(invitation.state(at=at) == "open" for invitation in invitations):
        report.ok("person", "nobody has this address yet: an open invitation lets them in when they first sign in")
        return
    close = nearest_addresses(email)
    advice = "`provision_user EMAIL --organisation SLUG` invites them."
    if close:
        advice = f"Did you mean {' or '.join(close)}? Otherwise {advice}"
    report.problem("person", "nobody has this address, and no open invitation lets it in", advice)


def _tell_person(report: Report, person: User) -> None:
    kinds = [words for words, is_so in (("superuser", person.is_superuser), ("staff", person.is_staff)) if is_so]
    report.data["person"] = {
        "email": person.email,
        "name": person.name,
        "public_id": str(person.public_id),
        "is_active": person.is_active,
        "is_staff": person.is_staff,
        "is_superuser": person.is_superuser,
        "since": person.created_at,
    }
    words = f"{person.display_name}, here since {person.created_at:%d %b %Y}{''.join(f', {kind}' for kind in kinds)}"
    if person.is_active:
        report.ok("person", f"{words}; active")
    else:
        report.problem("person", f"{words}; DEACTIVATED", "They cannot sign in until somebody reactivates them.")


def _tell_identities(report: Report, person: User) -> None:
    """Who is known by no identity of the present provider is refused: an address alone opens nothing."""
    identities = list(person.identities.order_by("pk"))
    report.data["identities"] = [
        {"issuer": identity.issuer, "subject": _shortened(identity.subject)} for identity in identities
    ]
    for identity in identities:
        words = f"{_shortened(identity.subject)} at {identity.issuer}"
        if identity.issuer == settings.OIDC_ISSUER:
            report.ok("identity", words)
        else:
            report.note("identity", f"{words}, which is not the sign-in service of now")
    if not any(identity.issuer == settings.OIDC_ISSUER for identity in identities):
        advice = "Their account there counts as another one, and is refused as address_taken."
        report.problem("identity", f"none at {settings.OIDC_ISSUER}", advice)


def _shortened(subject: str) -> str:
    return subject if len(subject) <= 12 else f"{subject[:8]}…{subject[-3:]}"


def _tell_memberships(report: Report, person: User) -> None:
    memberships = list(Membership.objects.filter(user=person).with_organisations())
    report.data["memberships"] = [
        {
            "organisation": membership.organisation.slug,
            "role": membership.role,
            "is_suspended": membership.organisation.is_suspended,
        }
        for membership in memberships
    ]
    for membership in memberships:
        words = f"{membership.role} in {membership.organisation} ({membership.organisation.slug})"
        if membership.organisation.is_suspended:
            advice = "Its people are kept out until it is restored in the admin site."
            report.problem("membership", f"{words}, which is SUSPENDED", advice)
        else:
            report.ok("membership", words)
    if not memberships and not person.is_superuser:
        report.problem("membership", "none: signs in and finds no organisation", "`provision_user` gives them a place.")


def _tell_sessions(report: Report, person: User, at: datetime) -> None:
    sessions = person.sessions.current(at=at).order_by("-created_at")
    times = list(sessions.values_list("created_at", "signed_in_at"))
    newest = times[0][1] or times[0][0] if times else None
    report.data["sessions"] = {"count": len(times), "newest": newest}
    if newest is None:
        report.note("sessions", "none: not signed in")
    else:
        report.note("sessions", f"{len(times)}, the newest of {newest:{MOMENT}}")


def _tell_invitations(report: Report, invitations: Sequence[Invitation], at: datetime) -> None:
    report.data["invitations"] = [
        {
            "organisation": invitation.organisation.slug,
            "role": invitation.role,
            "state": invitation.state(at=at),
            "expires_at": invitation.expires_at,
        }
        for invitation in invitations
    ]
    for invitation in invitations:
        state = invitation.state(at=at)
        preposition = {"open": "until", "expired": "since"}.get(state, "")
        ends = f" {preposition} {invitation.expires_at:{MOMENT}}" if preposition else ""
        report.note("invitation", f"to {invitation.organisation} as {invitation.role}: {state}{ends}")


def _overcome(report: Report) -> set[str]:
    """Codes of refusals whose reason is gone by now."""
    person, invitations = report.data["person"], report.data["invitations"]
    is_invited = any(invitation["state"] == "open" for invitation in invitations)
    return {
        code
        for code, is_gone in (
            ("uninvited", is_invited or person is not None),
            ("deactivated", bool(person and person["is_active"])),
        )
        if is_gone
    }


def _tell_history(report: Report, sign_ins: Sequence[Attempt], refusals: Sequence[Attempt], overcome: set[str]) -> None:
    """The newest refusal is a problem until its reason is gone, or somebody gets in after it."""
    report.data["sign_ins"] = [attempt.at for attempt in sign_ins]
    report.data["refusals"] = [
        {"at": attempt.at, "code": attempt.code, "detail": attempt.detail, "incident": attempt.incident}
        for attempt in refusals
    ]
    last = sign_ins[0].at if sign_ins else None
    for attempt in sign_ins:
        report.note("signed in", f"{attempt.at:{MOMENT}}")
    if not sign_ins:
        report.note("signed in", "never")
    for number, attempt in enumerate(refusals):
        detail = f" ({attempt.detail})" if attempt.detail else ""
        words = f"{attempt.at:{MOMENT}}, {attempt.code}{detail}, incident {attempt.incident or 'unknown'}"
        if number == 0 and (last is None or attempt.at > last) and attempt.code not in overcome:
            report.problem("refused", words, f"{attempt.remedy[0].upper()}{attempt.remedy[1:]}.")
        else:
            report.note("refused", words)


def _tell_refusals_of_nobody(report: Report, at: datetime) -> None:
    counted = report.data["refusals_of_nobody"] = sign_in_history.refusals_of_nobody(at=at)
    if counted:
        words = ", ".join(f"{code} {times}" for code, times in counted.items())
        report.note("refusals of the last day that name nobody", words)
