"""A little of everything, so that any address of the API has something to speak about."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.utils import timezone

from alerts import (
    corrections,
    directing,
    entities,
    feedback,
    pinned,
    regrouping,
    sampling,
    suppressing,
    triage,
)
from alerts.models import Queue, Review, ReviewPolicy, Route
from alerts.routing import active_routes
from anomalyshield.accounts import keys
from anomalyshield.accounts.models import OpenSession, User
from anomalyshield.accounts.roles import ACTIONS, ADMIN, ANALYST, ENGINEER, OWNER
from cases import evidence as case_evidence
from cases import reporting, tasks, workflow
from cases.models import BusinessCalendar
from scoring import feature_pipelines, labels, lists, policies, policy_changes, training
from scoring.engine.decision import Policy
from scoring.engine.families import FAMILIES
from scoring.models import Label, ModelVersion
from scoring.webhooks import endpoints
from tests.alerts import making as alerts_making
from tests.conftest import client_of, person
from tests.lists import making as lists_making
from tests.scoring import making
from tests.webhooks import making as webhooks_making

ORDER = (ANALYST, ENGINEER, OWNER, ADMIN)


class World:
    """People, one per role, and the ids of what there is under each step of an address."""

    def __init__(self, queue: Queue, versions: list[ModelVersion]) -> None:
        self.people = {role: person(f"walking_{role}", role) for role in ORDER}
        analyst = self.people[ANALYST]
        User.objects.filter(pk=analyst.pk).update(is_lead=True, may_unmask=True)
        alerts_making.assign_perm("work_queue", analyst, queue)
        alerts_making.assign_perm("work_queue", self.people[ADMIN], queue)
        alerts = [alerts_making.alert(queue, user=f"customer-{n:04}") for n in range(3)]
        case = workflow.escalate(by=analyst, alert=alerts[0])
        task = tasks.add(by=analyst, case=case, title="Call the customer")
        kept = case_evidence.add(by=analyst, case=case, name="a.txt", content=b"x")
        due = reporting.begin(by=analyst, case=case, on=timezone.now().date())
        due = reporting.step(by=analyst, report=due, step="prepare")
        reporting.draft(by=analyst, report=due)
        proposed = workflow.escalate(by=analyst, alert=alerts[1])
        second = alerts_making.queue_member("second", queue)
        workflow.propose_closure(
            by=second,
            case=proposed,
            outcome="CONFIRMED",
            findings="Stolen.",
        )
        paid = alerts_making.payment(user="customer-0009")
        said = labels.give(
            by=analyst, transaction=paid, value=Label.Value.TRUE_FRAUD, origin=Label.Origin.API
        )
        source, engineer = making.source("files"), self.people[ENGINEER]
        rows = making.csv_of(making.ordinary_rows(5))
        held = making.uploads.receive(
            by=engineer, source=source, name="a.csv", file=making.io.BytesIO(rows), options={},
            hold=True,
        )  # fmt: skip
        sent = making.send(rows[:-1], by=engineer)
        made, _ = keys.make_key(by=self.people[ADMIN], name="k", scopes=["score:write"])
        told = webhooks_making.endpoint()
        wanted = replace(Policy.from_dict(policies.active().values), high_amount=5000.0)
        asked = policy_changes.ask(by=engineer, policy=wanted, reason="Fewer are enough.")
        doubted = corrections.propose(
            by=self.people[ADMIN], label=said, value=Label.Value.FALSE_POSITIVE, reason="Their son."
        )
        ReviewPolicy.objects.create(random_share=1)
        triage.decide(by=second, alert=alerts[2], disposition="TRUE_POSITIVE_FRAUD")
        Review.objects.update(reviewer=analyst)
        looked = Review.objects.get()
        alerts_making.decision(
            alerts_making.payment(), score=0.1, outcome="APPROVE", reviewable=False
        )
        drawn = sampling.draw(budget=1, settled=-timedelta(minutes=5))
        whom = entities.find("user", alerts[0].user_id, analyst)
        noted = pinned.pin(by=analyst, entity=whom, text="Travels.")
        twins = [alerts_making.alert(queue, user="customer-0007") for _ in range(2)]
        merged = regrouping.merge(by=analyst, into=twins[0], alerts=twins[1:])
        end = timezone.now() + timedelta(days=7)
        kept_out = suppressing.suppress(
            by=analyst, alert=twins[0], codes=["SCORE"], kind="user", expires_at=end, reason="Son."
        )
        self.clients = {role: client_of(one) for role, one in self.people.items()}
        for client in self.clients.values():
            client.raise_request_exception = False
        self.ids: dict[str, list[Any]] = {
            "alerts": [one.pk for one in alerts],
            "routes": [directing.draft(by=self.people[ADMIN]).pk, active_routes()[0].routing_id],
            "queues": [queue.pk],
            "cases": [case.pk, proposed.pk],
            "terms": [queue.pk],
            "calendars": [BusinessCalendar.default().pk],
            "tasks": [task.pk],
            "reports": [due.number],
            "evidence": [kept.pk],
            "labels": [said.pk],
            "corrections": [doubted.pk],
            "questions": [feedback.add_to_review_queue("asked", {"amount": 5}, 0.4, 0).pk],
            "reviews": [looked.pk],
            "samples": [one.pk for one in drawn.samples.all()],
            "lists": [
                lists_making.denied(self.people[ADMIN], value="c1").pk,
                lists.put(by=self.people[ADMIN], wish=lists_making.wish("ALLOW", "user", "u1")).pk,
            ],
            "sources": [source.pk],
            "files": [held.pk, sent.pk],
            "models": [one.pk for one in versions],
            "runs": [training.ask(by=self.people[OWNER]).pk],
            "policies": [policies.active().version],
            "pipelines": [feature_pipelines.active().pk],
            "features": ["amount", *sorted(FAMILIES)[:2]],
            "endpoints": [told.pk],
            "deliveries": [endpoints.try_out(by=self.people[ADMIN], endpoint=told).pk],
            "requests": [asked.pk],
            "keys": [made.pk],
            "users": [one.pk for one in self.people.values()],
            "sessions": list(OpenSession.objects.values_list("pk", flat=True)),
            "transactions": [one.transaction_id for one in alerts],
            "decisions": [one.decision_id for one in alerts],
            "audit": [1, 2, 3],
            "{kind}": [one.user_id for one in alerts],
            "notes": [noted.pk],
            "regroupings": [merged.pk],
            "suppressions": [one.pk for one in kept_out],
            "playbooks": ["MULE", "SCAM", "NONE"],
        }
        self.ids["{id}"] = list(Route.objects.values_list("pk", flat=True))  # of a version

    def who_may(self, right: str) -> Any:
        """The client of the first role with this right; for what is public, the analyst's."""
        roles = ACTIONS.get(right, frozenset(ORDER))
        return self.clients[next(role for role in ORDER if role in roles)]
