"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, include, path, register_converter

from alerts.entities import ValueInAddress
from alerts.views import alert, bulk, corrections, entities, links, queue, queues, routes, saved

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
