"""For each page: the operations that do for a program what it does for a person.

One line for a new page, or `test_twins.py` fails by name. A page without a twin has a reason.
"""

from dataclasses import dataclass

FILES = "by the API files are for machines and those who keep sources: events.write"


@dataclass(frozen=True)
class Act:
    """What sending a page's form does: operations, and the verb page and operation both call."""

    operations: tuple[str, ...]
    verb: str
    other_right: str = ""  # why the operation asks for another right than the page


def act(verb: str, *operations: str, other_right: str = "") -> Act:
    return Act(operations, verb, other_right)


# What pages do.
ACTS: dict[str, Act] = {
    "alert-view-save": act("alerts.viewing.save", "saveView"),
    "alert-view-change": act("alerts.viewing.change", "changeView"),
    "alert-view-remove": act("alerts.viewing.remove", "removeView"),
    "alerts-display": act("alerts.viewing.arrange", "changeDisplay"),
    "bulk-act": act("alerts.bulk.act", "actOnMany"),
    "bulk-undo": act("alerts.bulk.undo", "undoBulk"),
    "alerts-next": act("alerts.leasing.take_next", "takeNextAlert"),
    "alert-renew": act("alerts.leasing.renew", "renewAlert"),
    "alert-leave": act("alerts.leasing.leave", "leaveAlert"),
    "alert-claim": act("alerts.triage.claim", "claimAlert"),
    "alert-decide": act("alerts.triage.decide", "decideAlert"),
    "alert-list": act("alerts.triage.put_on_list", "listAlert"),
    "alert-undo": act("alerts.triage.undo", "undoAlert"),
    "alert-note": act("alerts.triage.comment", "noteAlert"),
    "alert-escalate": act("cases.workflow.escalate", "escalateAlert"),
    "entity-note": act("alerts.pinned.pin", "noteEntity"),
    "entity-note-retract": act("alerts.pinned.retract", "retractEntityNote"),
    "entity-list": act("scoring.lists.put", "putOnList"),
    "label-correct": act("alerts.corrections.propose", "proposeCorrection"),
    "correction-approve": act("alerts.corrections.approve", "approveCorrection"),
    "correction-refuse": act("alerts.corrections.refuse", "refuseCorrection"),
    "routes-draft": act("alerts.directing.draft", "draftRouting"),
    "route-add": act("alerts.directing.add", "addRoute"),
    "route-change": act("alerts.directing.change", "changeRoute"),
    "route-move": act("alerts.directing.move", "moveRoute"),
    "route-remove": act("alerts.directing.remove", "removeRoute"),
    "routing-discard": act("alerts.directing.discard", "discardRouting"),
    "routing-propose": act("alerts.directing.propose", "proposeRouting"),
    "routing-approve": act("alerts.directing.approve", "approveRouting"),
    "routing-refuse": act("alerts.directing.refuse", "refuseRouting"),
    "queue-new": act("alerts.staffing.make_queue", "makeQueue"),
    "queue-edit": act("alerts.staffing.staff", "staffQueue"),
    "case-evidence": act("cases.evidence.add", "addEvidence"),
    "case-note": act("cases.workflow.add_note", "noteCase"),
    "case-propose": act("cases.workflow.propose_closure", "proposeClosure"),
    "case-approve": act("cases.workflow.approve_closure", "approveClosure"),
    "case-return": act("cases.workflow.return_case", "returnCase"),
    "list-put": act("scoring.lists.put", "putOnList"),
    "list-import": act("scoring.listfile.take_over", "takeOverList"),
    "list-approve": act("scoring.lists.approve", "approveEntry"),
    "list-end": act("scoring.lists.end", "endEntry"),
    "try": act("scoring.trying.try_one", "tryPayment"),
    "uploads": act("scoring.uploads.receive", "sendFile", other_right=FILES),
    "upload-preview": act("scoring.uploads.start", "startFile", "tryFile", other_right=FILES),
    "upload-resume": act("scoring.uploads.resume", "resumeFile", other_right=FILES),
    "upload-cancel": act("scoring.uploads.cancel", "cancelFile", other_right=FILES),
    "source-new": act("scoring.sourcing.make_source", "makeSource"),
    "source": act("scoring.sourcing.change_source", "changeSource"),
    "source-keepers": act("scoring.keeping.set_keepers", "setKeepers"),
    "model-train": act("scoring.training.ask", "train"),
    "model-update": act("scoring.updating.ask", "updateModel"),
    "model-rollback": act("scoring.registry.roll_back", "rollBack"),
    "model-ask": act("scoring.registry.ask_promotion", "askPromotion"),
    "model-approve": act("scoring.registry.approve", "approvePromotion"),
    "model-refuse": act("scoring.registry.refuse", "refusePromotion"),
    "model-shadow": act("scoring.registry.set_shadow", "setShadow"),
    "policy-change": act("scoring.policy_changes.ask", "askPolicy", "tryPolicy"),
    "policy-approve": act("scoring.policy_changes.approve", "approvePolicy"),
    "policy-refuse": act("scoring.policy_changes.refuse", "refusePolicy"),
    "endpoint-new": act("scoring.webhooks.endpoints.make", "makeEndpoint"),
    "endpoint": act("scoring.webhooks.endpoints.change", "changeEndpoint"),
    "endpoint-rotate": act("scoring.webhooks.endpoints.rotate", "rotateSecret"),
    "endpoint-pause": act("scoring.webhooks.endpoints.pause", "pauseEndpoint"),
    "endpoint-resume": act("scoring.webhooks.endpoints.resume", "resumeEndpoint"),
    "endpoint-try": act("scoring.webhooks.endpoints.try_out", "tryEndpoint"),
    "endpoint-send-again": act("scoring.webhooks.endpoints.send_again", "sendAgain"),
    "feature-owner": act("scoring.feature_facts.hand_over", "handOverFamily"),
    "pipeline-new": act("scoring.feature_pipelines.save", "savePipeline", "tryPipeline"),
    "pipeline-activate": act("scoring.feature_pipelines.activate", "activatePipeline"),
    "profile": act("anomalyshield.accounts.people.choose_timezone", "changeMe"),
    "session-end": act("anomalyshield.accounts.open_sessions.end_session", "endSession"),
    "sessions-end-others": act(
        "anomalyshield.accounts.open_sessions.end_others", "endOtherSessions"
    ),
    "user-new": act("anomalyshield.accounts.people.make_user", "makeUser"),
    "user": act("anomalyshield.accounts.people.change_user", "changeUser"),
    "user-password": act("anomalyshield.accounts.people.give_new_password", "giveNewPassword"),
    "key-new": act("anomalyshield.accounts.keys.make_key", "makeKey"),
    "key-revoke": act("anomalyshield.accounts.keys.revoke_key", "revokeKey"),
}
# What pages show.
READS: dict[str, tuple[str, ...]] = {
    "alert": ("readAlert", "readSecondOpinion"),
    "entity": ("readEntity",),
    "entity-links": ("readEntityLinks",),
    "alerts": ("listAlerts",),
    "bulk-preview": ("lookOver",),
    "bulk": ("readBulk",),
    "alert-views": ("listViews", "readDisplay"),
    "corrections": ("listCorrections",),
    "correction": ("readCorrection",),
    "routes": ("listRoutings", "listQueues"),
    "routing": ("readRouting", "tryRouting"),
    "queue-edit": ("readQueue",),
    "cases": ("listCases",),
    "case": ("readCase", "listEvidence"),
    "evidence": ("readEvidence",),
    "lists": ("listEntries",),
    "list-entry": ("readEntry",),
    "transactions": ("findTransactions", "listAnomalies"),
    "transaction": ("readTransaction", "readDecision", "listLabels", "readLabel"),
    "uploads": ("listFiles",),
    "upload": ("readFile",),
    "upload-preview": ("previewFile",),
    "upload-scored": ("readScored",),
    "upload-rejects": ("readRejects",),
    "sources": ("listSources",),
    "source": ("readSource",),
    "source-keepers": ("readKeepers",),
    "models": ("listModels", "listTrainings"),
    "model": ("readModel",),
    "model-card": ("readModelCard",),
    "run": ("readTraining",),
    "rules": ("readRules", "listPolicies", "readPolicy"),
    "policy-request": ("readPolicyRequest", "listPolicyRequests"),
    "endpoints": ("listEndpoints",),
    "endpoint": ("readEndpoint", "listDeliveries"),
    "features": ("readFeatures",),
    "pipelines": ("listPipelines",),
    "pipeline": ("readPipeline",),
    "profile": ("readMe",),
    "sessions": ("listSessions",),
    "users": ("listUsers",),
    "user": ("readUser",),
    "keys": ("listKeys", "readKey"),
    "audit": ("listEvents", "readEvent"),
}
OTHER_RIGHT_TO_READ = {
    "uploads": FILES,
    "upload": FILES,
    "upload-preview": FILES,
    "upload-scored": FILES,
    "upload-rejects": FILES,
    "source": "the page is a form, so it asks for the right to change",
}
# Pages that a program has no use for, and why.
ALONE: dict[str, str] = {
    "try": "shows a form with examples",
    "queue-new": "shows an empty form",
    "label-correct": "shows a form; readLabel tells what stands",
    "policy-change": "shows the values in force in a form; readRules tells them",
    "alerts-complete": "helps whoever types a search; a program writes it whole",
    "home": "it gathers what the lists tell",
    "jump": "a program knows the address",
    "permissions": "every operation of the manual names its right; readMe names one's own",
    "health": "is made for programs",
    "health-ready": "is made for programs",
    "health-deep": "is made for programs",
    "metrics": "is made for programs",
    "system": "health/deep tells the same as JSON",
    "schema": "is the manual itself",
    "docs": "is the manual itself",
    "redoc": "is the manual itself",
    "account_login": "programs log in by logIn, or carry a key",
    "account_logout": "programs log out by logOut",
    "account_change_password": "a person types a password, a program carries a key; an admin's "
    "program gives new ones by giveNewPassword",
}
# Pages and operations on their way in from another hand: empty when a step is finished.
SOON: frozenset[str] = frozenset()
# Operations that no page has, and why.
WITHOUT_PAGE: dict[str, str] = {
    "listEntityNotes": "on pages the notes stand on the entity's own",
    "proposePipeline": "on the page it is a part of the list, shown to those who may edit",
    "releaseAlert": "on pages an alert is released by whoever takes it over",
    "openCase": "pages open a case from one alert, programs from several",
    "giveLabel": "pages label by deciding an alert; reports from outside have none",
    "detect": "made for upstream systems",
    "predict": "made for upstream systems",
    "predictBatch": "made for upstream systems",
    "score": "made for upstream systems",
    "scoreBatch": "made for upstream systems",
    "logIn": "tokens are for programs",
    "refreshTokens": "tokens are for programs",
    "logOut": "tokens are for programs",
}
