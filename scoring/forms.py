"""The forms of files and sources."""

from typing import Any

from django import forms

from scoring.columns import Refused, checked_options
from scoring.engine import fields
from scoring.models import Source
from scoring.sources import FILE_SOURCES

ACCEPTED = ",".join(suffix for entry in FILE_SOURCES for suffix in entry.suffixes)


class MappingField(forms.CharField):
    """Lines of "their column = our field", as a dictionary."""

    def __init__(self, **more: Any) -> None:
        lines = forms.Textarea({"rows": 3, "placeholder": "Cust No = user_id"})
        super().__init__(widget=lines, required=False, max_length=20_000, **more)

    def to_python(self, value: Any) -> dict[str, str]:
        mapping = {}
        for line in filter(str.strip, (super().to_python(value) or "").splitlines()):
            theirs, sign, ours = (part.strip() for part in line.rpartition("="))
            if not (sign and theirs and ours):
                raise forms.ValidationError(
                    f"“{line.strip()[:80]}” is not “their column = our field”."
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
        label="File", max_length=5000, widget=forms.FileInput({"accept": ACCEPTED})
    )
    source = forms.ModelChoiceField(Source.objects.filter(active=True), empty_label="Choose …")


class SourceForm(forms.ModelForm):
    """What a source says once for all its records."""

    mapping = MappingField(label="Columns called otherwise")

    class Meta:
        model = Source
        fields = ("name", "title", "kind", "currency", "timezone", "mapping", "active")
        labels = {"timezone": "Time zone"}
        help_texts = {
            "name": "Short, without spaces; it cannot be changed later",
            "timezone": "Of times that state no offset, for example Asia/Kolkata",
            "active": "Takes new files and transactions",
        }

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["name"].disabled = self.instance.pk is not None
        kinds = [(value, value.upper()) for value in Source.Kind.values]
        self.fields["kind"].widget.choices = kinds

    def clean_currency(self) -> str:
        return str(self._read(fields.currency, "currency"))

    def clean_timezone(self) -> str:
        return str(self._read(fields.zone_name, "timezone"))

    def clean_mapping(self) -> dict[str, str]:
        try:
            return dict(
                checked_options({"mapping": self.cleaned_data["mapping"]}).get("mapping", {})
            )
        except Refused as refusal:
            raise forms.ValidationError(str(refusal)) from None

    def _read(self, how: Any, name: str) -> Any:
        try:
            return how(self.cleaned_data[name])
        except fields.Unfit as unfit:
            raise forms.ValidationError(f"{self.cleaned_data[name]} {unfit}.") from None
