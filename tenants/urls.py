from django.urls import path

from tenants import views

urlpatterns = [
    path("", views.landing, name="landing"),
    path("organisations/", views.organisations, name="organisations"),
]
