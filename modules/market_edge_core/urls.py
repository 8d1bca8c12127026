"""Addresses of the module, below /o/<slug>/market-edge-core/."""

from django.urls import path

from modules.market_edge_core import views

urlpatterns = [
    path("", views.markets, name="markets"),
    path("markets/<uuid:public_id>/", views.market, name="market"),
    path("load/", views.load, name="load"),
    path("load/template/", views.template, name="template"),
    path("load/<uuid:public_id>/", views.preview_upload, name="preview"),
    path("load/<uuid:public_id>/problems/", views.problems, name="problems"),
    path("load/<uuid:public_id>/apply/", views.apply, name="apply"),
    path("load/<uuid:public_id>/discard/", views.discard, name="discard"),
    path("load/<uuid:public_id>/result/", views.result, name="result"),
]
