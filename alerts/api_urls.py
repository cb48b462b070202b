"""Addresses for programs."""

from django.urls import URLPattern, URLResolver, path

from alerts import analytics_api, api, bulk_api, labels_api, lease_api, reports_api, views_api
from alerts import asleep_api as asleep
from alerts import corrections_api as corrections
from alerts import entities_api as entities
from alerts import evidence_api as evidence
from alerts import playbooks_api as playbooks
from alerts import questions_api as questions
from alerts import queues_api as queues
from alerts import regrouping_api as regrouping
from alerts import reviews_api as reviews
from alerts import routes_api as routes
from alerts import samples_api as samples
from alerts import suppressions_api as suppressions

urlpatterns: list[URLPattern | URLResolver] = [
    # alerts
    path("api/v1/alerts", api.Alerts.as_view(), name="api-alerts"),
    path("api/v1/alerts/views", views_api.Views.as_view(), name="api-alert-views"),
    path("api/v1/alerts/views/<int:pk>", views_api.OneView.as_view(), name="api-alert-view"),
    path(
        "api/v1/alerts/views/<int:pk>/remove",
        views_api.RemoveView.as_view(),
        name="api-alert-view-remove",
    ),
    path("api/v1/alerts/display", views_api.Display.as_view(), name="api-alerts-display"),
    path("api/v1/alerts/bulk", bulk_api.Bulks.as_view(), name="api-bulks"),
    path("api/v1/alerts/bulk/<int:pk>", bulk_api.OneBulk.as_view(), name="api-bulk"),
    path("api/v1/alerts/bulk/<int:pk>/undo", bulk_api.UndoBulk.as_view(), name="api-bulk-undo"),
    path("api/v1/alerts/next", lease_api.TakeNext.as_view(), name="api-alerts-next"),
    path("api/v1/alerts/<int:pk>/renew", lease_api.Renew.as_view(), name="api-alert-renew"),
    path("api/v1/alerts/<int:pk>/leave", lease_api.Leave.as_view(), name="api-alert-leave"),
    path("api/v1/alerts/<int:pk>", api.OneAlert.as_view(), name="api-alert"),
    path(
        "api/v1/alerts/<int:pk>/second-opinion",
        api.SecondOpinion.as_view(),
        name="api-alert-second-opinion",
    ),
    path("api/v1/alerts/<int:pk>/claim", api.Claim.as_view(), name="api-alert-claim"),
    path("api/v1/alerts/<int:pk>/release", api.Release.as_view(), name="api-alert-release"),
    path("api/v1/alerts/<int:pk>/decide", api.Decide.as_view(), name="api-alert-decide"),
    path("api/v1/alerts/<int:pk>/list", api.PutOnList.as_view(), name="api-alert-list"),
    path("api/v1/alerts/<int:pk>/undo", api.Undo.as_view(), name="api-alert-undo"),
    path("api/v1/alerts/<int:pk>/snooze", asleep.SnoozeOne.as_view(), name="api-alert-snooze"),
    path("api/v1/alerts/<int:pk>/wake", asleep.Wake.as_view(), name="api-alert-wake"),
    path(
        "api/v1/alerts/<int:pk>/evidence",
        evidence.Evidence.as_view(),
        name="api-alert-evidence",
    ),
    path("api/v1/alerts/<int:pk>/merge", regrouping.Merge.as_view(), name="api-alert-merge"),
    path("api/v1/alerts/<int:pk>/split", regrouping.Split.as_view(), name="api-alert-split"),
    path(
        "api/v1/alerts/regroupings/<int:pk>/undo",
        regrouping.UndoRegrouping.as_view(),
        name="api-regrouping-undo",
    ),
    path(
        "api/v1/alerts/<int:pk>/duplicate",
        regrouping.Duplicate.as_view(),
        name="api-alert-duplicate",
    ),
    path(
        "api/v1/alerts/<int:pk>/suppress",
        suppressions.Suppress.as_view(),
        name="api-alert-suppress",
    ),
    path("api/v1/suppressions", suppressions.Suppressions.as_view(), name="api-suppressions"),
    path(
        "api/v1/suppressions/<int:pk>",
        suppressions.OneSuppression.as_view(),
        name="api-suppression",
    ),
    path(
        "api/v1/suppressions/<int:pk>/kept-out",
        suppressions.KeptOut.as_view(),
        name="api-suppression-kept-out",
    ),
    path(
        "api/v1/suppressions/<int:pk>/end",
        suppressions.EndSuppression.as_view(),
        name="api-suppression-end",
    ),
    path("api/v1/playbooks", playbooks.Playbooks.as_view(), name="api-playbooks"),
    path("api/v1/playbooks/<slug:typology>", playbooks.OnePlaybook.as_view(), name="api-playbook"),
    path("api/v1/alerts/<int:pk>/notes", api.Comment.as_view(), name="api-alert-notes"),
    # whom they are about
    path(
        "api/v1/entities/<str:kind>/<value:value>",
        entities.OneEntity.as_view(),
        name="api-entity",
    ),
    path(
        "api/v1/entities/<str:kind>/<value:value>/links",
        entities.EntityLinks.as_view(),
        name="api-entity-links",
    ),
    path(
        "api/v1/entities/<str:kind>/<value:value>/notes",
        entities.EntityNotes.as_view(),
        name="api-entity-notes",
    ),
    path(
        "api/v1/entities/<str:kind>/<value:value>/notes/<int:pk>/retract",
        entities.RetractNote.as_view(),
        name="api-entity-note-retract",
    ),
    path("api/v1/labels", labels_api.Labels.as_view(), name="api-labels"),
    path("api/v1/labels/<int:pk>", labels_api.OneLabel.as_view(), name="api-label"),
    path(
        "api/v1/labels/<int:pk>/corrections",
        corrections.Propose.as_view(),
        name="api-label-corrections",
    ),
    path("api/v1/corrections", corrections.Corrections.as_view(), name="api-corrections"),
    path("api/v1/corrections/<int:pk>", corrections.OneCorrection.as_view(), name="api-correction"),
    path(
        "api/v1/corrections/<int:pk>/approve",
        corrections.Approve.as_view(),
        name="api-correction-approve",
    ),
    path(
        "api/v1/corrections/<int:pk>/refuse",
        corrections.Refuse.as_view(),
        name="api-correction-refuse",
    ),
    # figures of what happened
    path("api/v1/analytics/reports", reports_api.Reports.as_view(), name="api-reports"),
    path(
        "api/v1/analytics/reports/letters",
        reports_api.Letters.as_view(),
        name="api-report-letters",
    ),
    path(
        "api/v1/analytics/reports/<int:pk>/pause",
        reports_api.Pause.as_view(),
        name="api-report-pause",
    ),
    path(
        "api/v1/analytics/reports/<int:pk>/resume",
        reports_api.Resume.as_view(),
        name="api-report-resume",
    ),
    path(
        "api/v1/analytics/reports/<int:pk>/try",
        reports_api.TryOut.as_view(),
        name="api-report-try",
    ),
    path("api/v1/analytics/<slug:tab>", analytics_api.Figures.as_view(), name="api-analytics"),
    path(
        "api/v1/analytics/<slug:tab>/<slug:section>.<str:kind>",
        analytics_api.FiguresFile.as_view(),
        name="api-analytics-file",
    ),
    # verdicts looked at again
    path("api/v1/reviews", reviews.Reviews.as_view(), name="api-reviews"),
    path("api/v1/reviews/agreement", reviews.AgreementOf.as_view(), name="api-agreement"),
    path(
        "api/v1/reviews/agreement.<str:kind>",
        reviews.AgreementFile.as_view(),
        name="api-agreement-file",
    ),
    path("api/v1/reviews/next", reviews.TakeNext.as_view(), name="api-reviews-next"),
    path("api/v1/reviews/shares", reviews.Shares.as_view(), name="api-review-shares"),
    path("api/v1/reviews/<int:pk>", reviews.OneReview.as_view(), name="api-review"),
    path("api/v1/reviews/<int:pk>/take", reviews.Take.as_view(), name="api-review-take"),
    path("api/v1/reviews/<int:pk>/answer", reviews.AnswerOne.as_view(), name="api-review-answer"),
    path("api/v1/reviews/<int:pk>/dispute", reviews.Dispute.as_view(), name="api-review-dispute"),
    path("api/v1/reviews/<int:pk>/settle", reviews.Settle.as_view(), name="api-review-settle"),
    path("api/v1/reviews/<int:pk>/stand", reviews.Stand.as_view(), name="api-review-stand"),
    path(
        "api/v1/reviews/<int:pk>/hand-over",
        reviews.HandOver.as_view(),
        name="api-review-hand-over",
    ),
    # what raised no alert
    path("api/v1/samples", samples.Samples.as_view(), name="api-samples"),
    path("api/v1/samples/next", samples.TakeNext.as_view(), name="api-samples-next"),
    path("api/v1/samples/recall", samples.RecallOf.as_view(), name="api-recall"),
    path("api/v1/samples/<int:pk>", samples.OneSample.as_view(), name="api-sample"),
    path("api/v1/samples/<int:pk>/answer", samples.AnswerOne.as_view(), name="api-sample-answer"),
    # what models ask
    path("api/v1/questions", questions.Questions.as_view(), name="api-questions"),
    path("api/v1/questions/next", questions.TakeNext.as_view(), name="api-questions-next"),
    path("api/v1/questions/metrics", questions.Metrics.as_view(), name="api-review-metrics"),
    path("api/v1/questions/<int:pk>", questions.OneQuestion.as_view(), name="api-question"),
    path(
        "api/v1/questions/<int:pk>/answer",
        questions.AnswerQuestion.as_view(),
        name="api-question-answer",
    ),
    # which alert goes where
    path("api/v1/routes", routes.Routings.as_view(), name="api-routes"),
    path("api/v1/routes/draft", routes.Draft.as_view(), name="api-routes-draft"),
    path("api/v1/routes/<int:pk>", routes.OneRouting.as_view(), name="api-routing"),
    path("api/v1/routes/<int:pk>/trial", routes.Trial.as_view(), name="api-routing-trial"),
    path("api/v1/routes/<int:pk>/add", routes.Add.as_view(), name="api-route-add"),
    path("api/v1/routes/<int:pk>/discard", routes.Discard.as_view(), name="api-routing-discard"),
    path("api/v1/routes/<int:pk>/propose", routes.Propose.as_view(), name="api-routing-propose"),
    path("api/v1/routes/<int:pk>/approve", routes.Approve.as_view(), name="api-routing-approve"),
    path("api/v1/routes/<int:pk>/refuse", routes.Refuse.as_view(), name="api-routing-refuse"),
    path("api/v1/routes/<int:pk>/<int:route>", routes.OneRoute.as_view(), name="api-route"),
    path("api/v1/routes/<int:pk>/<int:route>/move", routes.Move.as_view(), name="api-route-move"),
    path(
        "api/v1/routes/<int:pk>/<int:route>/remove",
        routes.Remove.as_view(),
        name="api-route-remove",
    ),
    # the piles they go to
    path("api/v1/queues", queues.Queues.as_view(), name="api-queues"),
    path("api/v1/queues/<int:pk>", queues.OneQueue.as_view(), name="api-queue"),
]
