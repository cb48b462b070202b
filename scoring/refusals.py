"""Why a value or a record was refused: the engine says it in English, pages in the reader's words.

Every phrase of `engine/fields.py`, `amounts.py`, `translation.py` and `transaction.py` stands here
with its values in braces; a test compares them.
"""

from scoring import retelling

PHRASES = (
    "is required",
    "is not UTF-8 text",
    "is not a number",
    "is not a finite number",
    "is too large; it must be below 100 trillion",
    "is not a number of sensible length",
    "is negative; an amount is zero or more",
    "holds a comma; write 1234.56, without thousands separators",
    "is not a plain number such as 1234.56",
    "has more than 4 decimal places",
    "is not an amount with “{decimal_mark}” before its decimals",
    "is not a time written like {shown}",
    "is not a number of {unit} since {origin}",
    "is {value} characters long; at most {limit} fit",
    "is true or false, not a text",
    "is a number with decimals, not a text",
    "has more than 40 digits",
    "is binary, not a text",
    "is {kind}, not a text",
    "an object",
    "a list",
    "of another kind",
    "holds half a character (a lone surrogate)",
    "holds the control character U+{char}",
    "is true or false, not a number",
    "is outside -{low} to {high} degrees",
    "is neither true nor false",
    "is not a four-digit merchant category code",
    "is not a code of {length} letters",
    "is not the name of a time zone, such as Asia/Kolkata",
    "is not a time",
    "is beyond the calendar",
    "is not a time such as 2026-01-14T15:00:00Z",
    "lies in the future ({event_time} UTC)",
    "lies before 1970",
    "comes {late} late; this source takes at most {behind}",
    'is not a time of day such as "23:45"',
    "holds something that cannot be kept as JSON text",
    "holds the control character U+0000, or more than 10,000 bytes",
    "has no exchange rate from {currency} to {base_currency} within {days} days before {day}",
    "has no exchange rate from {currency} to {base_currency}",
    "is none of {choices}",
    "is not a label such as 1, 0, fraud or legitimate",
    "is already known with other content",
    "lies before the payment itself ({moment} UTC)",
    "is none that {source} may speak of",
    "is required: one of {choices}",
    "has {value} fields that are not ours; at most {most} are kept",
)


def in_words(reason: str) -> str:
    """The reason in the reader's language; one of another making as it stands."""
    return retelling.of_phrases(reason, PHRASES)
