"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, include, path, register_converter

from alerts.entities import ValueInAddress
from alerts.views import (
    alert,
    analytics,
    asleep,
    bulk,
    corrections,
    entities,
    evidence,
    links,
    playbooks,
    queue,
    queues,
    regrouping,
    reports,
    routes,
    saved,
    suppressions,
)

register_converter(ValueInAddress, "value")

urlpatterns: list[URLPattern | URLResolver] = [
    # the queue
    path("alerts/", queue.alerts, name="alerts"),
    path("alerts/complete/", queue.complete, name="alerts-complete"),
    # one alert; `alert-escalate` is in the room of cases, which looks back at this one
    path("alerts/next/", alert.following, name="alerts-next"),
    path("alerts/views/", saved.views, name="alert-views"),
    path("alerts/views/save/", saved.save, name="alert-view-save"),
    path("alerts/views/<int:pk>/change/", saved.change, name="alert-view-change"),
    path("alerts/views/<int:pk>/remove/", saved.remove, name="alert-view-remove"),
    path("alerts/display/", saved.arrange, name="alerts-display"),
    path("alerts/bulk/", bulk.look_over, name="bulk-preview"),
    path("alerts/bulk/act/", bulk.act, name="bulk-act"),
    path("alerts/bulk/<int:pk>/", bulk.outcome, name="bulk"),
    path("alerts/bulk/<int:pk>/undo/", bulk.undo, name="bulk-undo"),
    path("alerts/<int:pk>/", alert.alert, name="alert"),
    path("alerts/<int:pk>/claim/", alert.claim, name="alert-claim"),
    path("alerts/<int:pk>/renew/", alert.renew, name="alert-renew"),
    path("alerts/<int:pk>/leave/", alert.leave, name="alert-leave"),
    path("alerts/<int:pk>/decide/", alert.decide, name="alert-decide"),
    path("alerts/<int:pk>/list/", alert.put_on_list, name="alert-list"),
    path("alerts/<int:pk>/undo/", alert.undo, name="alert-undo"),
    path("alerts/<int:pk>/note/", alert.note, name="alert-note"),
    path("alerts/<int:pk>/snooze/", asleep.snooze, name="alert-snooze"),
    path("alerts/<int:pk>/wake/", asleep.wake, name="alert-wake"),
    path("alerts/<int:pk>/merge/", regrouping.merge, name="alert-merge"),
    path("alerts/<int:pk>/split/", regrouping.split, name="alert-split"),
    path(
        "alerts/<int:pk>/regroupings/<int:number>/undo/",
        regrouping.undo,
        name="alert-regrouping-undo",
    ),
    path("alerts/<int:pk>/duplicate/", regrouping.duplicate, name="alert-duplicate"),
    path("alerts/<int:pk>/evidence.json", evidence.as_json, name="alert-evidence"),
    path("alerts/<int:pk>/evidence.pdf", evidence.as_pdf, name="alert-evidence-pdf"),
    path("alerts/<int:pk>/suppress/", suppressions.suppress, name="alert-suppress"),
    # what raises no alert, and what to do about those that are raised
    path("suppressions/", suppressions.suppressions, name="suppressions"),
    path("suppressions/<int:pk>/", suppressions.suppression, name="suppression"),
    path("suppressions/<int:pk>/end/", suppressions.end, name="suppression-end"),
    path("playbooks/", playbooks.playbooks, name="playbooks"),
    path("playbooks/<slug:typology>/", playbooks.playbook, name="playbook"),
    path("playbooks/<slug:typology>/write/", playbooks.write, name="playbook-write"),
    # whom alerts are about
    path("entities/<str:kind>/<value:value>/", entities.entity, name="entity"),
    path("entities/<str:kind>/<value:value>/links/", links.entity_links, name="entity-links"),
    path("entities/<str:kind>/<value:value>/note/", entities.note, name="entity-note"),
    path(
        "entities/<str:kind>/<value:value>/notes/<int:pk>/retract/",
        entities.retract,
        name="entity-note-retract",
    ),
    path("entities/<str:kind>/<value:value>/list/", entities.put_on_list, name="entity-list"),
    # what labels should say instead
    path("corrections/", corrections.corrections, name="corrections"),
    path("corrections/<int:pk>/", corrections.correction, name="correction"),
    path("corrections/<int:pk>/approve/", corrections.approve, name="correction-approve"),
    path("corrections/<int:pk>/refuse/", corrections.refuse, name="correction-refuse"),
    path("labels/<int:pk>/correct/", corrections.propose, name="label-correct"),
    # figures of what happened
    path("analytics/", analytics.analytics, name="analytics"),
    path("analytics/reports/", reports.reports, name="reports"),
    path("analytics/reports/<int:pk>/pause/", reports.pause, name="report-pause"),
    path("analytics/reports/<int:pk>/resume/", reports.resume, name="report-resume"),
    path("analytics/reports/<int:pk>/try/", reports.try_out, name="report-try"),
    path("analytics/<slug:tab>/", analytics.tab, name="analytics-tab"),
    path("analytics/<slug:tab>/<slug:section>.<str:kind>", analytics.file, name="analytics-file"),
    # which alert goes where
    path("routes/", routes.routes, name="routes"),
    path("routes/draft/", routes.draft, name="routes-draft"),
    path("routes/<int:pk>/", routes.routing, name="routing"),
    path("routes/<int:pk>/add/", routes.add, name="route-add"),
    path("routes/<int:pk>/<int:route>/", routes.change, name="route-change"),
    path("routes/<int:pk>/<int:route>/move/", routes.move, name="route-move"),
    path("routes/<int:pk>/<int:route>/remove/", routes.remove, name="route-remove"),
    path("routes/<int:pk>/discard/", routes.discard, name="routing-discard"),
    path("routes/<int:pk>/propose/", routes.propose, name="routing-propose"),
    path("routes/<int:pk>/approve/", routes.approve, name="routing-approve"),
    path("routes/<int:pk>/refuse/", routes.refuse, name="routing-refuse"),
    path("queues/new/", queues.new, name="queue-new"),
    path("queues/<int:pk>/", queues.edit, name="queue-edit"),
    path("", include("alerts.api_urls")),
]
