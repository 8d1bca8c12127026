"""Signing in and out, and the page that says why somebody was refused."""

from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView


class StartSignInView(OIDCAuthenticationRequestView):
    pass


class CallbackView(OIDCAuthenticationCallbackView):
    pass
