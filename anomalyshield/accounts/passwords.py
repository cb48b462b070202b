"""Long passwords that are guessed first all the same: repeated, counted up, or our own name."""

import re

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

ROWS = ("0123456789" * 20, "abcdefghijklmnopqrstuvwxyz" * 8, "qwertyuiopasdfghjklzxcvbnm" * 8)
REPEATED = re.compile(r"(.+?)\1+")
OURS = re.compile(r"anomaly[ _-]*shield|anomaly|shield|fraud", re.IGNORECASE)
REST = 8  # characters that must be left when our own name is taken away


class NotGuessable:
    """Length alone does not stop `passwordpassword`."""

    def validate(self, password: str, user: object = None) -> None:
        text = password.casefold()
        repeated = REPEATED.fullmatch(text)
        if repeated:
            short = repeated[1]
            if len(short) < REST or short in CommonPasswordValidator().passwords:
                raise ValidationError(_("This repeats one short word."), code="password_repeated")
        if any(text in row or text in row[::-1] for row in ROWS):
            raise ValidationError(_("This only counts along the keys."), code="password_sequence")
        if len(OURS.sub("", text)) < REST:
            raise ValidationError(_("This is the name of this place."), code="password_product")

    def get_help_text(self) -> str:
        return _("Not one word repeated, not a row of keys, not the name of this place.")
