"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from cases import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("alerts/<int:pk>/escalate/", views.escalate, name="alert-escalate"),
    # cases
    path("cases/", views.cases, name="cases"),
    path("cases/<int:pk>/", views.case, name="case"),
    path("cases/<int:pk>/note/", views.note, name="case-note"),
    path("cases/<int:pk>/propose/", views.propose, name="case-propose"),
    path("cases/<int:pk>/approve/", views.approve, name="case-approve"),
    path("cases/<int:pk>/return/", views.send_back, name="case-return"),
]
