"""Questions asked of alerts: whose, which state, in what order."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import models
from django.db.models.functions import Now

from alerts.models.queues import Queue
from scoring import personal

if TYPE_CHECKING:
    from alerts.models.alerts import Alert  # which has this as its manager


class AlertQuerySet(models.QuerySet["Alert"]):
    """Of alerts."""

    model: "type[Alert]"

    def visible_to(self, user) -> "AlertQuerySet":
        """In the queues of this person, and no verdict they are to review without knowing it."""
        from alerts.visibility import queues_of

        return self.filter(queue__in=queues_of(user)).not_blind_for(user)

    def not_blind_for(self, user) -> "AlertQuerySet":
        """Without those this person reviews: there they would read what they must not know."""
        from alerts.models.reviews import Review

        return self.exclude(pk__in=Review.objects.blinding(user).values("alert"))

    def open(self) -> "AlertQuerySet":
        """Undecided, whether at work or asleep. Each as a term of its own: the conditions of the
        indexes below are such terms."""
        state = self.model.Status
        return self.filter(~models.Q(status=state.CLOSED), ~models.Q(status=state.MERGED))

    def awake(self) -> "AlertQuerySet":
        """The working list: open, and not set aside until later."""
        snoozed = models.Q(status=self.model.Status.SNOOZED)
        return self.open().filter(~snoozed, ~models.Q(status=self.model.Status.PENDING_INFO))

    def asleep(self) -> "AlertQuerySet":
        return self.filter(status__in=self.model.ASLEEP)

    def closed(self) -> "AlertQuerySet":
        return self.filter(status=self.model.Status.CLOSED)

    def growing(self) -> "AlertQuerySet":
        """Those that still take payments: nobody has decided on them, nor on a case with them."""
        state = self.model.Status
        return self.filter(status__in=[state.NEW, state.ASSIGNED, *self.model.ASLEEP])

    def overdue(self) -> "AlertQuerySet":
        """Past their time, snoozed or not: no snooze hides that. While the customer is asked the
        clock stands still."""
        pending = models.Q(status=self.model.Status.PENDING_INFO)
        return self.open().filter(~pending, due_at__lt=Now())

    def about(self, value: str) -> "AlertQuerySet":
        """Those of a customer, whichever payment of the alert is theirs, or of a card, device …"""
        from alerts.models.hits import AlertHit

        names = personal.called(value)
        theirs = AlertHit.objects.filter(user_id__in=names).values("alert")
        merged = models.Q(status=self.model.Status.MERGED)  # its payments are in another one
        named = self.model.objects.filter(~merged, entity__in=names).values("pk")
        return self.filter(pk__in=theirs.union(named))  # each by its index; an OR would use none

    def changed_for(self, user) -> "AlertQuerySet":
        """Open ones that took a payment since this person looked."""
        return self.open().filter(looks__person_id=user.pk, looks__behind=True)

    def workable_by(self, user) -> "AlertQuerySet":
        """What someone takes up next: not in a case already, and nobody else's."""
        state = self.model.Status
        waiting = self.filter(status__in=[state.NEW, state.ASSIGNED])
        return waiting.filter(models.Q(assignee=None) | models.Q(assignee=user))

    def for_the_page(self) -> "AlertQuerySet":
        """With what a row or a page shows, in the same query."""
        return self.select_related(
            "transaction", "queue", "assignee", "closed_by", "decision__explanation"
        )

    def with_what_there_is(self) -> "AlertQuerySet":
        """With whether its page has to ask for what most alerts do not have: a `labelled` leading
        payment, a label being `corrected`, notes (`noted`), cases (`in_cases`), words from outside
        about its payments (`noticed`)."""
        labels, corrections, notes = (
            apps.get_model(name).objects
            for name in ("scoring.Label", "alerts.Correction", "alerts.Note")
        )
        mine = models.OuterRef("pk")
        theirs = models.Q(alert=mine) | models.Q(alert__merged_into=mine)
        leading = labels.filter(transaction=models.OuterRef("transaction"))
        corrected = corrections.waiting().filter(label__transaction__hit__alert=mine)
        noticed = apps.get_model("scoring.Notice").objects.filter(transaction__hit__alert=mine)
        cases = self.model.cases.through.objects.filter(alert=mine)
        return self.annotate(
            labelled=models.Exists(leading),
            corrected=models.Exists(corrected),
            noted=models.Exists(notes.filter(theirs)),
            in_cases=models.Exists(cases),
            noticed=models.Exists(noticed),
        )

    def for_rows(self) -> "AlertQuerySet":
        """As `for_the_page`, without what only the page of one alert shows."""
        return (
            self.for_the_page()
            .select_related("lease__person")
            .defer(
                "decision__hits",
                "decision__explanation__contributions",
                "decision__explanation__counterfactual",
                "transaction__extra",
                "transaction__digest",
            )
        )

    def by_urgency(self) -> "AlertQuerySet":
        """Back from a snooze and not looked at, then expected loss, then the clock, then the id:
        never ties by chance."""
        return self.order_by(*self.model.URGENCY)

    def across(
        self, queues: Iterable[Queue | int], order: Sequence[str], most: int
    ) -> "AlertQuerySet":
        """What this order is made of, the id last, of the first ones in these queues.

        Each queue is walked by its own index and the walks are merged: no more is read than is
        answered or counted, however many alerts there are, and however few of them are seen.
        """
        names = [name.lstrip("-") for name in order]
        walks = [
            self.filter(queue=queue).order_by(*order).values_list(*names)[:most] for queue in queues
        ]
        if len(walks) < 2:
            return walks[0] if walks else self.none().values_list(*names)
        return walks[0].union(*walks[1:], all=True).order_by(*order)[:most]
