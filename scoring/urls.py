"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, include, path

from scoring.views import (
    costs,
    endpoints,
    features,
    keepers,
    labels,
    models,
    notices,
    pipelines,
    previews,
    quarantine,
    rates,
    rules,
    sources,
    transactions,
    trying,
    uploads,
)
from scoring.views import lists as list_pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("scoring.api.urls")),
    # files on their way in
    path("uploads/", uploads.uploads, name="uploads"),
    path("uploads/<int:pk>/", uploads.upload, name="upload"),
    path("uploads/<int:pk>/preview/", previews.preview, name="upload-preview"),
    path("uploads/<int:pk>/resume/", uploads.resume, name="upload-resume"),
    path("uploads/<int:pk>/cancel/", uploads.cancel, name="upload-cancel"),
    path("uploads/<int:pk>/scored.<str:kind>", uploads.scored, name="upload-scored"),
    path("uploads/<int:pk>/rejects.csv", uploads.rejects, name="upload-rejects"),
    path("rates/", rates.rates, name="rates"),
    path("notices/", notices.notices, name="notices"),
    # sources
    path("sources/", sources.sources, name="sources"),
    path("sources/new/", sources.make, name="source-new"),
    path("sources/refused/", quarantine.quarantine, name="quarantine"),
    path("sources/refused/all/", quarantine.all_of, name="quarantine-all"),
    path("sources/refused/<int:pk>/", quarantine.rejected, name="rejected"),
    path("sources/refused/<int:pk>/replay/", quarantine.replay, name="rejected-replay"),
    path("sources/refused/<int:pk>/drop/", quarantine.drop, name="rejected-drop"),
    path("sources/document/", sources.document, name="source-document"),
    path("sources/<int:pk>/", sources.source, name="source"),
    path("sources/<int:pk>/test/", sources.test, name="source-test"),
    path("sources/<int:pk>/secret/", sources.secret, name="source-secret"),
    path("sources/<int:pk>/document.yaml", sources.as_document, name="source-yaml"),
    path("sources/<int:pk>/keepers/", keepers.keepers, name="source-keepers"),
    # allow and deny lists
    path("lists/", list_pages.entries, name="lists"),
    path("lists/put/", list_pages.put, name="list-put"),
    path("lists/import/", list_pages.take_over, name="list-import"),
    path("lists/<int:pk>/", list_pages.entry, name="list-entry"),
    path("lists/<int:pk>/approve/", list_pages.approve, name="list-approve"),
    path("lists/<int:pk>/end/", list_pages.end, name="list-end"),
    # upstream systems that are told
    path("endpoints/", endpoints.endpoints, name="endpoints"),
    path("endpoints/new/", endpoints.make, name="endpoint-new"),
    path("endpoints/<int:pk>/", endpoints.endpoint, name="endpoint"),
    path("endpoints/<int:pk>/rotate/", endpoints.rotate, name="endpoint-rotate"),
    path("endpoints/<int:pk>/pause/", endpoints.pause, name="endpoint-pause"),
    path("endpoints/<int:pk>/resume/", endpoints.resume, name="endpoint-resume"),
    path("endpoints/<int:pk>/try/", endpoints.try_out, name="endpoint-try"),
    path(
        "endpoints/<int:pk>/<int:delivery>/again/",
        endpoints.send_again,
        name="endpoint-send-again",
    ),
    # what is known of them
    path("reviews/labels/", labels.labels, name="label-facts"),
    # transactions
    path("score/", trying.score, name="try"),
    path("transactions/", transactions.transactions, name="transactions"),
    path("transactions/<int:pk>/", transactions.transaction, name="transaction"),
    # models: versions, their training runs, and the two persons of a promotion
    path("models/", models.models, name="models"),
    path("models/train/", models.train, name="model-train"),
    path("models/update/", models.update, name="model-update"),
    path("models/rollback/", models.roll_back, name="model-rollback"),
    path("models/runs/<int:pk>/", models.run, name="run"),
    path("models/runs/<int:pk>/cancel/", models.cancel_run, name="run-cancel"),
    path("models/<int:pk>/", models.model, name="model"),
    path("models/<int:pk>/card.md", models.card, name="model-card"),
    path("models/<int:pk>/ask/", models.ask, name="model-ask"),
    path("models/<int:pk>/approve/", models.approve, name="model-approve"),
    path("models/<int:pk>/refuse/", models.refuse, name="model-refuse"),
    path("models/<int:pk>/shadow/", models.shadow, name="model-shadow"),
    # features and the pipelines that choose and prepare them
    path("features/", features.features, name="features"),
    path("features/families/<slug:family>/owner/", features.own, name="feature-owner"),
    path("features/pipelines/", pipelines.pipelines, name="pipelines"),
    path("features/pipelines/new/", pipelines.make, name="pipeline-new"),
    path("features/pipelines/<int:pk>/", pipelines.pipeline, name="pipeline"),
    path("features/pipelines/<int:pk>/activate/", pipelines.activate, name="pipeline-activate"),
    # rules
    path("rules/", rules.rules, name="rules"),
    path("rules/change/", rules.change, name="policy-change"),
    path("rules/requests/<int:pk>/", rules.asked, name="policy-request"),
    path("rules/requests/<int:pk>/approve/", rules.approve, name="policy-approve"),
    path("rules/requests/<int:pk>/refuse/", rules.refuse, name="policy-refuse"),
    # what fraud and the work against it cost
    path("costs/", costs.cost_models, name="costs"),
    path("costs/change/", costs.change, name="cost-change"),
    path("costs/requests/<int:pk>/", costs.asked, name="cost-request"),
    path("costs/requests/<int:pk>/approve/", costs.approve, name="cost-approve"),
    path("costs/requests/<int:pk>/refuse/", costs.refuse, name="cost-refuse"),
]
