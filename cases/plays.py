"""What the playbook of a suspicion says is to be done, as tasks of a case that is opened for it."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from alerts.models import Alert
from alerts.playbooks import standing
from cases import tasks
from cases.models import Case
from scoring.retelling import in_english


def lay_out(*, by: Any, case: Case, alerts: Sequence[Alert]) -> None:
    """The steps for what most of its alerts are suspected of. They advise: none is required."""
    kinds = Counter(alert.typology or alert.suspected for alert in alerts)
    kinds.pop("", None)
    if not kinds:
        return
    typology = Alert.Typology(max(kinds, key=lambda kind: (kinds[kind], kind)))
    play = standing(typology)
    source = f"Playbook {in_english(typology.label)}" + (
        f", version {play.version}" if play.version else ""
    )
    steps = [(step, "", False) for step in play.steps]
    tasks.copy_steps(by=by, case=case, steps=steps, playbook=source[:80])
