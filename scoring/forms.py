"""The forms of files and sources."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from scoring.models import Source
from scoring.sources import FILE_SOURCES

ACCEPTED = ",".join(suffix for entry in FILE_SOURCES for suffix in entry.suffixes)


class MappingField(forms.CharField):
    """Lines of "their column = our field", as a dictionary."""

    def __init__(self, **more: Any) -> None:
        lines = forms.Textarea({"rows": 3, "placeholder": _lazy("Cust No = user_id")})
        super().__init__(widget=lines, required=False, max_length=20_000, **more)

    def to_python(self, value: Any) -> dict[str, str]:
        mapping = {}
        for line in filter(str.strip, (super().to_python(value) or "").splitlines()):
            theirs, sign, ours = (part.strip() for part in line.rpartition("="))
            if not (sign and theirs and ours):
                raise forms.ValidationError(
                    _("“{strip}” is not “their column = our field”.").format(
                        strip=line.strip()[:80]
                    )
                )
            mapping[theirs] = ours
        return mapping

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return "\n".join(f"{theirs} = {ours}" for theirs, ours in value.items())
        return value


class UploadForm(forms.Form):
    """A file and where it comes from; what its columns mean is asked with the file in view."""

    file = forms.FileField(
        label=_lazy("File"), max_length=5000, widget=forms.FileInput({"accept": ACCEPTED})
    )
    source = forms.ModelChoiceField(
        Source.objects.filter(active=True), empty_label=_lazy("Choose …"), label=_lazy("Source")
    )
