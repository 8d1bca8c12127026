from django.urls import path

from accounts import api, back_channel, flow, views

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-in/refused/", views.refused, name="refused"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("signed-out/", views.signed_out, name="signed_out"),
    path("kept-form/<str:key>/", views.kept_form, name="kept_form"),
    path("claim/<str:token>/", views.claim, name="claim"),
    path("claimed/", views.claimed, name="claimed"),
    # The library's names and views, without its own way of signing out.
    path("oidc/authenticate/", flow.StartSignInView.as_view(), name="oidc_authentication_init"),
    path("oidc/callback/", flow.CallbackView.as_view(), name="oidc_authentication_callback"),
    path("oidc/backchannel-logout/", back_channel.back_channel_logout, name="back_channel_logout"),
    path("api/v1/auth/auth0-url", api.auth0_url, name="auth0_url"),
]
