"""What a cell of a label column says."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from scoring.models import Label

FRAUD_WORDS = {"1", "1.0", "true", "yes", "fraud", "true_fraud", "chargeback"}
LEGITIMATE_WORDS = {"0", "0.0", "false", "no", "legit", "legitimate", "genuine", "false_positive"}
MEANT = {
    "fraud": Label.Value.TRUE_FRAUD,
    "legitimate": Label.Value.FALSE_POSITIVE,
    "undecided": Label.Value.INCONCLUSIVE,
    "unknown": None,
}


def value_of(text: object, words: Mapping[str, list[str]] | None = None) -> Label.Value | None:
    """What a cell of a label column says; an empty one, nothing. Raises ValueError otherwise.

    `words` are the file's own for what MEANT names; they come before ours.
    """
    word = "" if text is None or text != text else str(text).strip().casefold()
    for meaning, said in (words or {}).items():
        if word in said or word.removesuffix(".0") in said:  # integers with gaps, read as floats
            return MEANT[meaning]
    if word in {"", "none", "null", "nan"}:
        return None
    if word in FRAUD_WORDS:
        return Label.Value.TRUE_FRAUD
    if word in LEGITIMATE_WORDS:
        return Label.Value.FALSE_POSITIVE
    if word == "inconclusive":
        return Label.Value.INCONCLUSIVE
    raise ValueError(_("is not a label such as 1, 0, fraud or legitimate"))
