"""What one person asks for and a second one answers: the row, and what every answer looks at.

The verbs themselves stand where their subject does and write their own words into the trail:
`scoring/changes.py` for values that are replaced whole, `scoring/promotions.py` for models.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.audit.record import denied
from anomalyshield.templatetags.words import within


class Refused(Exception):
    """This cannot be done now; the sentence is for the person, `fields` for what they typed."""

    def __init__(self, sentence: str = "", fields: dict[str, str] | None = None) -> None:
        self.fields = fields or {}
        super().__init__(sentence or " ".join(self.fields.values()))


class Asked(models.Model):
    """Someone asks for something; someone else puts it into force, or does not.

    Each kind has a constraint of its own that its rows are not approved by who asked.
    """

    class State(models.TextChoices):
        OPEN = "OPEN", _lazy("Open")
        APPROVED = "APPROVED", _lazy("Approved")
        REFUSED = "REFUSED", _lazy("Refused")

    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    reason = models.TextField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)

    class Meta:
        abstract = True
        ordering = ["-id"]


Row = TypeVar("Row", bound=Asked)


def held(request: Row, *related: str) -> Row:
    """The row as it is now, locked. Of two answers the second is told who gave the first."""
    rows = type(request)._default_manager.select_for_update(of=("self",))
    found = rows.select_related("asked_by", "answered_by", *related).get(pk=request.pk)
    if found.state != Asked.State.OPEN:
        answer = within(found.get_state_display())
        who = found.answered_by or found.asked_by
        raise Refused(_("{who} has answered already: {answer}.").format(who=who, answer=answer))
    return found


def second(by: Any, request: Asked, *, right: str, lost: str, own: str) -> None:
    """Whether this person may approve it: `lost` says that they lack the right, `own` that a
    second person is needed."""
    if not still_may(by, right):
        raise Refused(lost)
    if settings.FOUR_EYES and by == request.asked_by:
        raise Refused(own)


def still_may(by: Any, right: str) -> bool:
    """Asked anew: whoever lost the role since logging in has lost it here as well."""
    return bool(get_user_model().objects.get(pk=by.pk).may(right))


def answered(request: Asked, by: Any, state: Asked.State, answer: str, **more: Any) -> None:
    """Keep who answered what; `more` are fields of its kind."""
    said = {"state": state, "answered_by": by, "answered_at": timezone.now(), "answer": answer}
    for name, value in (said | more).items():
        setattr(request, name, value)
    request.save(update_fields=[*said, *more])


@contextmanager
def attempt(by: Any, action: str, about: models.Model) -> Iterator[None]:
    """An approval that is refused leaves its row in the trail. Around the transaction, not in it:
    that is rolled back."""
    try:
        yield
    except Refused as refusal:
        denied(by, action, about, str(refusal))
        raise
