"""Which sessions, sign-ins, invitations, links and counts of calls are over, and may go?"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from accounts import attempts
from accounts.models import (
    Invitation,
    PlatformAdminLink,
    RateLimitUse,
    Session,
    SignInAttempt,
    UsedLogoutToken,
)


def over(*, at: datetime) -> dict[str, QuerySet]:
    """Sessions and counts at once. Invitations that nobody accepted, and links, only some days later: until then they
    answer why somebody could not sign in. Accepted invitations stay, as the record of how a member came in."""
    long_ago = at - timedelta(days=settings.ENDED_KEPT_DAYS)
    return {
        "expired sessions": Session.objects.expired(at=at),
        "sign-ins that nobody came back from": SignInAttempt.objects.filter(
            created_at__lte=at - timedelta(seconds=attempts.LIFETIME)
        ),
        "sign-outs at the provider that cannot be told again": UsedLogoutToken.objects.filter(expires_at__lte=at),
        "counts of calls that no longer matter": RateLimitUse.objects.whole_again(at=at),
        "invitations that nobody accepted": Invitation.objects.filter(accepted_at=None, expires_at__lte=long_ago),
        "used or expired platform admin links": PlatformAdminLink.objects.filter(
            Q(used_at__lte=long_ago) | Q(expires_at__lte=long_ago)
        ),
    }
