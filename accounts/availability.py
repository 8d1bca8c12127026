"""Does the identity provider answer? Asked when somebody looks at the sign-in page, never while the product starts."""

from django.conf import settings

from tenants.probing import Prober

WAIT = 1.0  # seconds that the page waits for the answer at most
READ_LIMIT = 3.0  # seconds for each read of the question itself, which goes on behind the page
KEPT = 10.0  # seconds that an answer is told again


def provider_answers() -> bool:
    """False when it cannot be reached, is mute or says that it is broken."""
    return prober.answer()


def ask_provider() -> bool:
    """For the document that describes it, with no secret and nothing of anybody's."""
    # Imported here: it is the heaviest import of the sign-in, and start-up does without it.
    import requests

    url = f"{settings.OIDC_ISSUER.rstrip('/')}/.well-known/openid-configuration"
    try:
        with requests.Session() as session:
            session.trust_env = False
            with session.get(url, timeout=READ_LIMIT, allow_redirects=False, stream=True) as response:
                return response.status_code < 500
    except requests.RequestException:
        return False


prober = Prober(ask_provider, deadline=WAIT, kept=KEPT, late=False, failed=False)
