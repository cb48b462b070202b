"""What every verb of a case begins and ends with: the row held, the timeline told."""

from typing import Any

from cases.models import Case, CaseEvent


def locked(case: Case) -> Case:
    """The row, held until the end of the transaction."""
    return (
        Case.objects.select_for_update(of=("self",))
        .select_related("owner", "submitted_by", "proposed_by", "closed_by")
        .get(pk=case.pk)
    )


def tell(case: Case, kind: CaseEvent.Kind, by: Any, text: str = "") -> CaseEvent:
    """An entry of its timeline."""
    return CaseEvent.objects.create(case=case, kind=kind, author=by, text=text)
