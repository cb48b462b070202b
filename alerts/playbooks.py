"""Playbooks: the words and steps for a typology, as this release or a lead has written them."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from alerts.guards import Refused, leads
from alerts.models import Alert, Playbook
from alerts.plays import ANY, PLAYS
from anomalyshield.audit.record import record
from anomalyshield.locks import one_at_a_time
from anomalyshield.together import Part, alone

MOST_STEPS, STEP_LENGTH, TEXT_LENGTH = 20, 300, 4000


def standing(typology: str) -> Playbook:
    """The version in force; version 0, unsaved, is what this release says. Without a typology:
    what to do about anything unusual."""
    return alone(in_force(typology))


def in_force(typology: str) -> Part[Playbook]:
    """The same, asked along with something else."""
    kept = yield Playbook.objects.filter(typology=typology).order_by("-version")[:1]
    return kept[0] if kept else default(typology)


def steps_for(typology: str) -> list[str]:
    """The steps of the version in force, in order."""
    return list(standing(typology).steps)


def default(typology: str) -> Playbook:
    play = PLAYS.get(typology, ANY)
    told = {"text": play.text, "steps": list(play.steps), "at": None}
    return Playbook(typology=typology, version=0, **told)


def all_standing() -> list[Playbook]:
    """One per typology, in the order in which they are listed everywhere."""
    latest = Playbook.objects.order_by("typology", "-version").distinct("typology")
    kept = {one.typology: one for one in latest.select_related("by")}
    return [kept.get(typology) or default(typology) for typology in Alert.Typology.values]


@transaction.atomic
def write(
    *, by: Any, typology: str, text: str, steps: Sequence[str], reason: str, seen: int
) -> Playbook:
    """A new version, in force at once; the ones before stay readable. For leads.

    `seen` is the version it was written over: refused when somebody wrote another one meanwhile.
    """
    if not leads(by):
        raise Refused(_("A lead writes playbooks."))
    one_at_a_time(typology)  # of two leads at once the second sees the first's
    before = standing(typology)
    if before.version != seen:
        raise Refused(
            _("Version {version} was written meanwhile. Read it, then write yours.").format(
                version=before.version
            )
        )
    text, reason = text.strip(), reason.strip()
    steps = [one.strip() for one in steps if one.strip()]
    _possible(text, steps, reason)
    if (text, steps) == (before.text, list(before.steps)):
        raise Refused(_("It says what it said before."))
    made = Playbook.objects.create(
        typology=typology, version=seen + 1, text=text, steps=steps, reason=reason, by=by
    )
    after = {"typology": typology, "version": made.version, "steps": len(steps)}
    record(by=by, action="playbook.written", object=made, after=after, reason=reason)
    return made


def _possible(text: str, steps: Sequence[str], reason: str) -> None:
    if "\x00" in text + "".join(steps) + reason:
        raise Refused(_("Write text, and no control characters."))
    if not text or len(text) > TEXT_LENGTH:
        raise Refused(
            _("Say what it looks like, in at most {text_length} characters.").format(
                text_length=TEXT_LENGTH
            )
        )
    if not 0 < len(steps) <= MOST_STEPS:
        raise Refused(
            _("Write between 1 and {most_steps} steps, each on a line of its own.").format(
                most_steps=MOST_STEPS
            )
        )
    if long := next((n for n, one in enumerate(steps, 1) if len(one) > STEP_LENGTH), 0):
        raise Refused(
            _("Step {long} is longer than {step_length} characters.").format(
                long=long, step_length=STEP_LENGTH
            )
        )
    if not reason:
        raise Refused(_("Say why it changes."))
