"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from cases import api, evidence_api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("alerts/<int:pk>/escalate/", views.escalate, name="alert-escalate"),
    # cases
    path("cases/", views.cases, name="cases"),
    path("cases/<int:pk>/", views.case, name="case"),
    path("cases/<int:pk>/note/", views.note, name="case-note"),
    path("cases/<int:pk>/evidence/", views.add_evidence, name="case-evidence"),
    path("cases/<int:pk>/evidence/<int:number>/", views.read_evidence, name="evidence"),
    path("cases/<int:pk>/propose/", views.propose, name="case-propose"),
    path("cases/<int:pk>/approve/", views.approve, name="case-approve"),
    path("cases/<int:pk>/return/", views.send_back, name="case-return"),
    # for programs
    path("api/v1/alerts/<int:pk>/escalate", api.Escalate.as_view(), name="api-alert-escalate"),
    path("api/v1/cases", api.Cases.as_view(), name="api-cases"),
    path("api/v1/cases/<int:pk>", api.OneCase.as_view(), name="api-case"),
    path("api/v1/cases/<int:pk>/notes", api.Comment.as_view(), name="api-case-notes"),
    path(
        "api/v1/cases/<int:pk>/evidence",
        evidence_api.CaseEvidence.as_view(),
        name="api-case-evidence",
    ),
    path(
        "api/v1/cases/<int:pk>/evidence/<int:number>",
        evidence_api.OneEvidence.as_view(),
        name="api-evidence",
    ),
    path("api/v1/cases/<int:pk>/propose", api.Propose.as_view(), name="api-case-propose"),
    path("api/v1/cases/<int:pk>/approve", api.Approve.as_view(), name="api-case-approve"),
    path("api/v1/cases/<int:pk>/return", api.Return.as_view(), name="api-case-return"),
]
