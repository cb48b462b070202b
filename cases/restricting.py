"""Cases that only named people know of: an inquiry into staff, or one the police asked to keep.

For everybody else, leads and admins among them, such a case does not exist: no page, no list, no
count and no sentence tells of it. The audit log, which only admins read whole, keeps every step.
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from alerts import guards
from alerts.models import Verdict
from anomalyshield.audit.record import record
from cases.models import Case, CaseAccess, CaseEvent
from cases.states import Refused
from cases.steps import locked, tell

MOST = 50
UNNAMED = "approved by a second person"


def behind(case: Case, by: Any) -> str:
    """What stands behind a verdict that came with the closure of this case."""
    return UNNAMED if case.restricted else f"{case} closed by {by.get_username()}"


def may_restrict(case: Case, by: Any) -> bool:
    """Its owner, leads and admins, as far as they see it."""
    return bool(by.pk == case.owner_id or guards.leads(by))


@transaction.atomic
def restrict(*, by: Any, case: Case, people: Iterable[Any], reason: str) -> Case:
    """From now on it exists for these people, its owner and whoever says so, and nobody else.

    Said again it names the people anew. Who is named sees it only where they work its queues.
    """
    case = locked(case)
    _may(case, by)
    wanted = {one.pk: one for one in (*people, case.owner, by)}
    if len(wanted) > MOST:
        raise Refused(_("At most {most} people know of a restricted case.").format(most=MOST))
    for person in wanted.values():
        if not person.may("case.view"):
            raise Refused(_("{person} does not see cases.").format(person=person))
    before = told(case)
    case.restricted = True
    case.save(update_fields=["restricted"])
    case.access.exclude(person__in=wanted).delete()
    for person in wanted.values():
        CaseAccess.objects.get_or_create(case=case, person=person, defaults={"given_by": by})
    # All that names a case outside of it; the trail of an alert and a payment's end never do.
    Verdict.objects.filter(alert__cases=case, behind__startswith=f"{case} ").update(behind=UNNAMED)
    names = ", ".join(str(one) for one in wanted.values())
    tell(case, CaseEvent.Kind.RESTRICTED, by, f"To {names}. {reason}")
    record(by=by, action="case.restricted", object=case, before=before, after=told(case))
    return case


@transaction.atomic
def lift(*, by: Any, case: Case, reason: str) -> Case:
    """Whoever works its queues sees it again, and all that was written meanwhile."""
    case = locked(case)
    _may(case, by)
    if not case.restricted:
        raise Refused(_("{case} is not restricted.").format(case=case))
    before = told(case)
    case.restricted = False
    case.save(update_fields=["restricted"])
    case.access.all().delete()
    tell(case, CaseEvent.Kind.UNRESTRICTED, by, reason)
    record(by=by, action="case.unrestricted", object=case, before=before, after=told(case))
    return case


def told(case: Case) -> dict[str, Any]:
    """As the trail reads it."""
    people = case.access.values_list("person__username", flat=True)
    return {"restricted": case.restricted, "people": sorted(people)}


def _may(case: Case, by: Any) -> None:
    if not may_restrict(case, by):
        raise Refused(
            _("{case} is {owner}'s. Ask them, or a lead, to restrict it.").format(
                case=case, owner=case.owner
            )
        )
