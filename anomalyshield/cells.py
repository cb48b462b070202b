"""Text that no spreadsheet takes for a formula, and back."""

import re

NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
# ASVS 1.2.10 and OWASP's page on CSV injection name these beginnings, full-width ones too.
# Apostrophes before them count too, or taking one away again would not give back what was there.
FORMULA = re.compile(r"'*[=+\-@\t\r\n\0＝＋－＠]")


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; plain numbers stay numbers."""
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def restored(text: str) -> str:
    """What `harmless` was given."""
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text
