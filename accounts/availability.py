"""Does the identity provider answer? Asked when somebody looks at the sign-in page, never while the product starts."""

from django.conf import settings

from accounts import bounded_http
from accounts.bounded_http import Budget, NoAnswer
from tenants.probing import Prober

WAIT = 1.0  # seconds that the page waits for the answer at most
ASKING = 3.0  # seconds for the question itself, which goes on behind the page
KEPT = 10.0  # seconds that an answer is told again


def provider_answers() -> bool:
    """False when it cannot be reached, is mute or says that it is broken."""
    return prober.answer()


def ask_provider() -> bool:
    """For the document that describes it, with no secret and nothing of anybody's."""
    url = f"{settings.OIDC_ISSUER.rstrip('/')}/.well-known/openid-configuration"
    try:
        return bounded_http.ask(url, Budget(ASKING)).status < 500
    except NoAnswer:
        return False


prober = Prober(ask_provider, deadline=WAIT, kept=KEPT, late=False, failed=False)
