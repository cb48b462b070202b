"""Addresses for programs."""

from django.urls import URLPattern, URLResolver, path

from scoring.api import sources
from scoring.api.decisions import OneDecision
from scoring.api.files import File, FileCancel, FileRejects, Files
from scoring.api.lookup import Anomalies, OneTransaction
from scoring.api.scoring import Detect, Predict, PredictBatch, Score, ScoreBatch

urlpatterns: list[URLPattern | URLResolver] = [
    # scoring, at the addresses upstream systems know
    path("detect", Detect.as_view(), name="detect"),
    path("predict", Predict.as_view(), name="predict"),
    path("predict/batch", PredictBatch.as_view(), name="predict-batch"),
    path("api/v1/scoring/score", Score.as_view(), name="score"),
    path("api/v1/scoring/score/batch", ScoreBatch.as_view(), name="score-batch"),
    path("api/v1/anomalies", Anomalies.as_view(), name="api-anomalies"),
    path("api/v1/transactions/<int:pk>", OneTransaction.as_view(), name="api-transaction"),
    path("api/v1/decisions/<int:pk>", OneDecision.as_view(), name="api-decision"),
    # files
    path("api/v1/ingest/files", Files.as_view(), name="ingest-files"),
    path("api/v1/ingest/files/<int:pk>", File.as_view(), name="ingest-file"),
    path("api/v1/ingest/files/<int:pk>/cancel", FileCancel.as_view(), name="ingest-cancel"),
    path("api/v1/ingest/files/<int:pk>/rejects", FileRejects.as_view(), name="ingest-rejects"),
    # sources
    path("api/v1/sources", sources.Sources.as_view(), name="api-sources"),
    path("api/v1/sources/<int:pk>", sources.OneSource.as_view(), name="api-source"),
]
