"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from cases import api, evidence_api, progress_api, progress_views, terms_api, terms_views, views

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
    path("cases/<int:pk>/submit/", progress_views.submit, name="case-submit"),
    path("cases/<int:pk>/admit/", progress_views.admit, name="case-admit"),
    path("cases/<int:pk>/send-back/", progress_views.send_back, name="case-send-back"),
    path("cases/<int:pk>/start/", progress_views.start, name="case-start"),
    path("cases/<int:pk>/suspend/", progress_views.suspend, name="case-suspend"),
    path("cases/<int:pk>/resume/", progress_views.resume, name="case-resume"),
    path("cases/<int:pk>/hand-over/", progress_views.hand_over, name="case-hand-over"),
    path("cases/<int:pk>/abandon/", progress_views.abandon, name="case-abandon"),
    path("cases/<int:pk>/ask-reopening/", progress_views.ask_reopening, name="case-ask-reopening"),
    path("cases/<int:pk>/reopen/", progress_views.approve_reopening, name="case-reopen"),
    path("cases/<int:pk>/leave-closed/", progress_views.refuse_reopening, name="case-leave-closed"),
    path("cases/terms/", terms_views.terms, name="case-terms"),
    path("cases/terms/<int:pk>/", terms_views.queue_terms, name="case-queue-terms"),
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
    path("api/v1/cases/<int:pk>/submit", progress_api.Submit.as_view(), name="api-case-submit"),
    path("api/v1/cases/<int:pk>/admit", progress_api.Admit.as_view(), name="api-case-admit"),
    path(
        "api/v1/cases/<int:pk>/send-back",
        progress_api.SendBack.as_view(),
        name="api-case-send-back",
    ),
    path("api/v1/cases/<int:pk>/start", progress_api.Start.as_view(), name="api-case-start"),
    path("api/v1/cases/<int:pk>/suspend", progress_api.Suspend.as_view(), name="api-case-suspend"),
    path("api/v1/cases/<int:pk>/resume", progress_api.Resume.as_view(), name="api-case-resume"),
    path(
        "api/v1/cases/<int:pk>/hand-over",
        progress_api.HandOver.as_view(),
        name="api-case-hand-over",
    ),
    path("api/v1/cases/<int:pk>/abandon", progress_api.Abandon.as_view(), name="api-case-abandon"),
    path(
        "api/v1/cases/<int:pk>/ask-reopening",
        progress_api.AskReopening.as_view(),
        name="api-case-ask-reopening",
    ),
    path("api/v1/cases/<int:pk>/reopen", progress_api.Reopen.as_view(), name="api-case-reopen"),
    path(
        "api/v1/cases/<int:pk>/leave-closed",
        progress_api.LeaveClosed.as_view(),
        name="api-case-leave-closed",
    ),
    path("api/v1/cases/terms", terms_api.Terms.as_view(), name="api-case-terms"),
    path("api/v1/cases/terms/<int:pk>", terms_api.TermsOfQueue.as_view(), name="api-queue-terms"),
]
