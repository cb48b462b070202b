"""Addresses for programs."""

from django.urls import URLPattern, URLResolver, path

from scoring.api import (
    costs,
    endpoints,
    features,
    lists,
    models,
    policies,
    rejects,
    rules,
    sources,
    unmarkings,
)
from scoring.api.decisions import OneDecision
from scoring.api.events import Events, OneReceipt, ReceiptDecisions
from scoring.api.files import File, FileCancel, FileRejects, FileResume, Files, FileScored
from scoring.api.hooks import Hook
from scoring.api.label_facts import LabelFacts
from scoring.api.lookup import Anomalies, OneTransaction
from scoring.api.notices import Notices, SendNotices
from scoring.api.previews import Preview, Start
from scoring.api.previews import Try as TryFile
from scoring.api.rates import Rates
from scoring.api.scoring import Detect, Predict, PredictBatch, Score, ScoreBatch
from scoring.api.transactions import Transactions
from scoring.api.trying import Try

urlpatterns: list[URLPattern | URLResolver] = [
    # scoring, at the addresses upstream systems know
    path("detect", Detect.as_view(), name="detect"),
    path("predict", Predict.as_view(), name="predict"),
    path("predict/batch", PredictBatch.as_view(), name="predict-batch"),
    path("api/v1/scoring/score", Score.as_view(), name="score"),
    path("api/v1/scoring/score/batch", ScoreBatch.as_view(), name="score-batch"),
    path("api/v1/scoring/try", Try.as_view(), name="score-try"),
    path("api/v1/anomalies", Anomalies.as_view(), name="api-anomalies"),
    path("api/v1/transactions", Transactions.as_view(), name="api-transactions"),
    path("api/v1/transactions/<int:pk>", OneTransaction.as_view(), name="api-transaction"),
    path("api/v1/decisions/<int:pk>", OneDecision.as_view(), name="api-decision"),
    path("api/v1/labels/facts", LabelFacts.as_view(), name="api-label-facts"),
    # events nobody waits for
    path("api/v1/events", Events.as_view(), name="api-events"),
    path("api/v1/events/<uuid:pk>", OneReceipt.as_view(), name="api-receipt"),
    path(
        "api/v1/events/<uuid:pk>/decisions",
        ReceiptDecisions.as_view(),
        name="api-receipt-decisions",
    ),
    path("api/v1/rates", Rates.as_view(), name="api-rates"),
    path("api/v1/notices", SendNotices.as_view(), name="api-notices"),
    path("api/v1/notices/received", Notices.as_view(), name="api-notices-received"),
    path("hooks/<str:name>", Hook.as_view(), name="hook"),
    # what was refused
    path("api/v1/rejects", rejects.Rejects.as_view(), name="api-rejects"),
    path("api/v1/rejects/reasons", rejects.RejectReasons.as_view(), name="api-reject-reasons"),
    path("api/v1/rejects/replay", rejects.ReplayMany.as_view(), name="api-rejects-replay"),
    path("api/v1/rejects/drop", rejects.DropMany.as_view(), name="api-rejects-drop"),
    path("api/v1/rejects/<int:pk>", rejects.OneReject.as_view(), name="api-reject"),
    path("api/v1/rejects/<int:pk>/replay", rejects.ReplayOne.as_view(), name="api-reject-replay"),
    path("api/v1/rejects/<int:pk>/drop", rejects.DropOne.as_view(), name="api-reject-drop"),
    # files
    path("api/v1/ingest/files", Files.as_view(), name="ingest-files"),
    path("api/v1/ingest/files/<int:pk>", File.as_view(), name="ingest-file"),
    path("api/v1/ingest/files/<int:pk>/cancel", FileCancel.as_view(), name="ingest-cancel"),
    path("api/v1/ingest/files/<int:pk>/rejects", FileRejects.as_view(), name="ingest-rejects"),
    path("api/v1/ingest/files/<int:pk>/preview", Preview.as_view(), name="ingest-preview"),
    path("api/v1/ingest/files/<int:pk>/try", TryFile.as_view(), name="ingest-try"),
    path("api/v1/ingest/files/<int:pk>/start", Start.as_view(), name="ingest-start"),
    path("api/v1/ingest/files/<int:pk>/resume", FileResume.as_view(), name="ingest-resume"),
    path(
        "api/v1/ingest/files/<int:pk>/scored.<str:kind>",
        FileScored.as_view(),
        name="ingest-scored",
    ),
    # sources
    path("api/v1/sources/<int:pk>/keepers", sources.Keepers.as_view(), name="api-keepers"),
    path("api/v1/sources", sources.Sources.as_view(), name="api-sources"),
    path("api/v1/sources/document", sources.Documents.as_view(), name="api-source-document"),
    path("api/v1/sources/<int:pk>/secret", sources.Secret.as_view(), name="api-source-secret"),
    path("api/v1/sources/<int:pk>/test", sources.TestSource.as_view(), name="api-source-test"),
    path("api/v1/sources/try", sources.TrySample.as_view(), name="api-source-try"),
    path(
        "api/v1/sources/<int:pk>/versions", sources.Versions.as_view(), name="api-source-versions"
    ),
    path("api/v1/sources/<int:pk>/document", sources.OneDocument.as_view(), name="api-source-yaml"),
    path("api/v1/sources/<int:pk>", sources.OneSource.as_view(), name="api-source"),
    path(
        "api/v1/sources/<int:pk>/unmarkings",
        unmarkings.OfSource.as_view(),
        name="api-source-unmarkings",
    ),
    path(
        "api/v1/sources/unmarkings/<int:pk>",
        unmarkings.OneUnmarking.as_view(),
        name="api-unmarking",
    ),
    path(
        "api/v1/sources/unmarkings/<int:pk>/approve",
        unmarkings.Approve.as_view(),
        name="api-unmark-approve",
    ),
    path(
        "api/v1/sources/unmarkings/<int:pk>/refuse",
        unmarkings.Refuse.as_view(),
        name="api-unmark-refuse",
    ),
    path("api/v1/sources/<int:pk>/health", sources.HealthOf.as_view(), name="api-source-health"),
    # allow and deny lists
    path("api/v1/lists", lists.Lists.as_view(), name="api-lists"),
    path("api/v1/lists/import", lists.TakeOver.as_view(), name="api-list-import"),
    path("api/v1/lists/<int:pk>", lists.OneEntry.as_view(), name="api-list-entry"),
    path("api/v1/lists/<int:pk>/approve", lists.Approve.as_view(), name="api-list-approve"),
    path("api/v1/lists/<int:pk>/end", lists.End.as_view(), name="api-list-end"),
    # upstream systems that are told
    path("api/v1/endpoints", endpoints.Endpoints.as_view(), name="api-endpoints"),
    path("api/v1/endpoints/<int:pk>", endpoints.OneEndpoint.as_view(), name="api-endpoint"),
    path("api/v1/endpoints/<int:pk>/rotate", endpoints.Rotate.as_view(), name="api-rotate"),
    path("api/v1/endpoints/<int:pk>/pause", endpoints.Pause.as_view(), name="api-pause"),
    path("api/v1/endpoints/<int:pk>/resume", endpoints.Resume.as_view(), name="api-resume"),
    path("api/v1/endpoints/<int:pk>/try", endpoints.TryOut.as_view(), name="api-endpoint-try"),
    path(
        "api/v1/endpoints/<int:pk>/deliveries",
        endpoints.Deliveries.as_view(),
        name="api-deliveries",
    ),
    path(
        "api/v1/endpoints/<int:pk>/deliveries/<int:delivery>/again",
        endpoints.SendAgain.as_view(),
        name="api-send-again",
    ),
    # models: versions, trainings, and the two persons of a promotion
    path("api/v1/models", models.Models.as_view(), name="api-models"),
    path("api/v1/models/train", models.Train.as_view(), name="api-model-train"),
    path("api/v1/models/update", models.Update.as_view(), name="api-model-update"),
    path("api/v1/models/rollback", models.RollBack.as_view(), name="api-model-rollback"),
    path("api/v1/models/runs", models.Runs.as_view(), name="api-runs"),
    path("api/v1/models/runs/<int:pk>", models.OneRun.as_view(), name="api-run"),
    path("api/v1/models/runs/<int:pk>/cancel", models.RunCancel.as_view(), name="api-run-cancel"),
    path("api/v1/models/<int:pk>", models.OneModel.as_view(), name="api-model"),
    path("api/v1/models/<int:pk>/card", models.Card.as_view(), name="api-model-card"),
    path("api/v1/models/<int:pk>/ask", models.Ask.as_view(), name="api-model-ask"),
    path("api/v1/models/<int:pk>/approve", models.Approve.as_view(), name="api-model-approve"),
    path("api/v1/models/<int:pk>/refuse", models.Refuse.as_view(), name="api-model-refuse"),
    path("api/v1/models/<int:pk>/shadow", models.Shadow.as_view(), name="api-model-shadow"),
    # features and pipelines
    path("api/v1/features", features.Features.as_view(), name="api-features"),
    path("api/v1/features/<slug:family>/owner", features.Owner.as_view(), name="api-feature-owner"),
    path("api/v1/pipelines", features.Pipelines.as_view(), name="api-pipelines"),
    path("api/v1/pipelines/proposal", features.Propose.as_view(), name="api-pipeline-proposal"),
    path("api/v1/pipelines/try", features.TryPipeline.as_view(), name="api-pipeline-try"),
    path("api/v1/pipelines/<int:pk>", features.OnePipeline.as_view(), name="api-pipeline"),
    path(
        "api/v1/pipelines/<int:pk>/activate",
        features.Activate.as_view(),
        name="api-pipeline-activate",
    ),
    # what fraud and the work against it cost
    path("api/v1/costs", costs.CostModels.as_view(), name="api-costs"),
    path("api/v1/costs/try", costs.TryCosts.as_view(), name="api-cost-try"),
    path("api/v1/costs/requests", costs.Requests.as_view(), name="api-cost-requests"),
    path("api/v1/costs/requests/<int:pk>", costs.OneRequest.as_view(), name="api-cost-request"),
    path(
        "api/v1/costs/requests/<int:pk>/approve", costs.Approve.as_view(), name="api-cost-approve"
    ),
    path("api/v1/costs/requests/<int:pk>/refuse", costs.Refuse.as_view(), name="api-cost-refuse"),
    # rules and policies
    path("api/v1/rules", rules.Rules.as_view(), name="api-rules"),
    path("api/v1/policies", rules.Policies.as_view(), name="api-policies"),
    path("api/v1/policies/try", policies.TryPolicy.as_view(), name="api-policy-try"),
    path("api/v1/policies/requests", policies.Requests.as_view(), name="api-policy-requests"),
    path(
        "api/v1/policies/requests/<int:pk>",
        policies.OneRequest.as_view(),
        name="api-policy-request",
    ),
    path(
        "api/v1/policies/requests/<int:pk>/approve",
        policies.Approve.as_view(),
        name="api-policy-approve",
    ),
    path(
        "api/v1/policies/requests/<int:pk>/refuse",
        policies.Refuse.as_view(),
        name="api-policy-refuse",
    ),
    path("api/v1/policies/<int:version>", rules.OnePolicy.as_view(), name="api-policy"),
]
