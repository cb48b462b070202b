"""What each disposition means: the label it gives, and what becomes of a payment it holds."""

from django.conf import settings

from alerts.models import Alert
from scoring.models import Label, Resolution

Said = Alert.Disposition
State = Resolution.State

# A duplicate says nothing of its own. Laundering is what a model should have raised, too: its
# typologies are labelled with it. Somebody broke our terms, or one of us tried the tills: of fraud
# that says nothing, so nothing learns it.
LABEL_OF = {
    Said.TRUE_POSITIVE_FRAUD: Label.Value.TRUE_FRAUD,
    Said.TRUE_POSITIVE_AML: Label.Value.TRUE_FRAUD,
    Said.FALSE_POSITIVE: Label.Value.FALSE_POSITIVE,
    Said.BENIGN_POSITIVE: Label.Value.FALSE_POSITIVE,
    Said.INCONCLUSIVE: Label.Value.INCONCLUSIVE,
    Said.POLICY_VIOLATION: Label.Value.INCONCLUSIVE,
    Said.TEST: Label.Value.INCONCLUSIVE,
}
FOUND = (Said.TRUE_POSITIVE_FRAUD, Said.TRUE_POSITIVE_AML)  # what alerts are there for
JUDGED = (*FOUND, Said.FALSE_POSITIVE, Said.BENIGN_POSITIVE)  # one way or the other

BY_LABEL = {Label.Value.TRUE_FRAUD: State.DECLINED, Label.Value.FALSE_POSITIVE: State.RELEASED}
BY_ITSELF = {Said.POLICY_VIOLATION: State.DECLINED, Said.TEST: State.RELEASED}
INCONCLUSIVE = {"hold": State.HELD, "release": State.RELEASED}


def state_of(value: Label.Value) -> str:
    """What becomes of a held payment that turned out to be this."""
    return BY_LABEL.get(value) or INCONCLUSIVE[settings.INCONCLUSIVE]


def state_after(disposition: str, value: Label.Value) -> str:
    """What becomes of one that this verdict is about, and of which this label stands by now."""
    said = Said(disposition)
    own = BY_ITSELF.get(said) if LABEL_OF[said] == value else None
    return own or state_of(value)
