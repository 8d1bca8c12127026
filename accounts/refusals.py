"""Why somebody was not let in, in words that say what to do next."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Refusal:
    """`code` goes into the audit, the rest onto the page. About the account: then another one may help."""

    code: str
    title: str
    explanation: str
    status: int = 403
    is_about_the_account: bool = False


class Refused(Exception):
    """Sign-in ends here, with this refusal. `who` says whom the provider named, once that is verified."""

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        super().__init__(refusal.code)
        self.refusal = refusal
        self.detail = detail
        self.who: dict[str, Any] = {}


UNINVITED = Refusal(
    "uninvited",
    "You have not been invited yet",
    "Your account is in order, but no organisation here has invited your address. Write to the address below and say"
    " which organisation you work for.",
    is_about_the_account=True,
)
UNVERIFIED = Refusal(
    "unverified",
    "Your e-mail address is not verified",
    "Your account's e-mail address has not been verified yet. Open the message that the sign-in service sent you,"
    " follow its link, and sign in again.",
    is_about_the_account=True,
)
NO_ADDRESS = Refusal(
    "no_address",
    "Your account has no address that we can use",
    "The sign-in service told us no e-mail address of your account, or one with letters beyond plain ASCII. Sign in"
    " with another account, or write to the address below.",
    is_about_the_account=True,
)
ADDRESS_TAKEN = Refusal(
    "address_taken",
    "This address belongs to another account",
    "Somebody already signs in here with this e-mail address, by another account at the sign-in service. Use that"
    " account, or write to the address below.",
    is_about_the_account=True,
)
DEACTIVATED = Refusal(
    "deactivated",
    "Your account is deactivated",
    "Your account here has been deactivated, so you cannot sign in. If that is a mistake, write to the address below.",
    is_about_the_account=True,
)
ORGANISATION_UNKNOWN = Refusal(
    "organisation_unknown",
    "Your organisation is not known here",
    "You signed in to an organisation at the sign-in service that MarketEdge does not know. Sign in to another one, or"
    " write to the address below and say which organisation you work for.",
    is_about_the_account=True,
)
ORGANISATION_MISSING = Refusal(
    "organisation_missing",
    "You did not sign in to the organisation",
    "This organisation lets in those who sign in to it at the sign-in service, and your account was signed in without"
    " it. Start again and choose the organisation there.",
    is_about_the_account=True,
)
ORGANISATION_OTHER = Refusal(
    "organisation_other",
    "You signed in to another organisation",
    "You asked for one organisation and signed in to another at the sign-in service. Start again and choose the one"
    " that you want to work in.",
    is_about_the_account=True,
)
ORGANISATION_SUSPENDED = Refusal(
    "organisation_suspended",
    "Your organisation is suspended",
    "The organisation that would let you in is suspended here, so nobody new can join it. Write to the address below.",
    is_about_the_account=True,
)
STALE = Refusal(
    "stale",
    "This sign-in was used already, or is too old",
    "Signing in takes one page after the other. Start again, and it will work.",
    status=400,
)
# One and the same error (access_denied) for both.
CANCELLED = Refusal(
    "cancelled",
    "You were not signed in",
    "Sign-in was cancelled, or the sign-in service does not let your account in here. You can start again at any time;"
    " if you did not cancel it, write to the address below.",
)
PROVIDER_REFUSED = Refusal(
    "provider_refused",
    "The sign-in service refused",
    "The sign-in service did not let you in. Start again; if it happens twice, write to the address below.",
    is_about_the_account=True,
)
PROVIDER_DOWN = Refusal(
    "provider_down",
    "The sign-in service does not answer",
    "We could not reach the sign-in service. Nothing is wrong with your account: wait a moment and start again.",
    status=503,
)
BAD_TOKEN = Refusal(
    "bad_token",
    "The sign-in could not be verified",
    "What the sign-in service told us about you did not pass our checks, so you were not signed in. Start again; if it"
    " happens twice, write to the address below.",
)
LINK_NOT_YOURS = Refusal(
    "link_not_yours",
    "This link is for another address",
    "You signed in with an address that the link was not made for. Open the link again, and sign in with the address it"
    " names.",
)
LINK_USED = Refusal(
    "link_used",
    "This link was used already, or has expired",
    "Ask for a new one: a link works once, and for a limited time.",
    status=410,
)

BY_CODE = {found.code: found for found in list(globals().values()) if isinstance(found, Refusal)}
