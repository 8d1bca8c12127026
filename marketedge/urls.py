"""Every address of the product. Health is answered before this list, in `marketedge.health`."""

from django.contrib import admin
from django.urls import include, path

from marketedge import security_contact

urlpatterns = [
    path(".well-known/security.txt", security_contact.security_txt, name="security_txt"),
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("tenants.urls")),
    path("api/v1/", include("modules.api_urls")),
    path("ofrep/", include("modules.flags.ofrep.urls")),
    path("o/<slug:organisation_slug>/", include("modules.urls")),
]

handler400 = "marketedge.incidents.bad_request"
handler403 = "marketedge.incidents.forbidden"
handler404 = "marketedge.incidents.not_found"
handler500 = "marketedge.incidents.server_error"
