"""The form of a source: what holds for every kind, and the settings of its own."""

import json
import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from scoring import connections, source_rules
from scoring.columns import Refused
from scoring.connections import Setting
from scoring.forms import MappingField
from scoring.models import Source

UNITS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}
LENGTH = re.compile(r"(\d{1,9})\s*(s|min|h|d)?", re.ASCII)
WORDS = {
    Source.Kind.REST: "REST",
    Source.Kind.CSV: "CSV",
    Source.Kind.PARQUET: "Parquet",
    Source.Kind.KAFKA: "Kafka",
    Source.Kind.MQTT: "MQTT",
    Source.Kind.WEBHOOK: "Webhook",
}


class LengthField(forms.Field):
    """A length of time such as 90 s, 15 min, 2 h or 30 d, in seconds."""

    def __init__(self, **more: Any) -> None:
        super().__init__(widget=forms.TextInput({"size": 12}), required=False, **more)

    def to_python(self, value: Any) -> int | None:
        text = str(value or "").strip()
        if not text:
            return None
        if (match := LENGTH.fullmatch(text)) is None:
            raise forms.ValidationError(_lazy("Write a length such as 90 s, 15 min, 2 h or 30 d."))
        return int(match[1]) * UNITS[match[2] or "s"]

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, int):
            return value
        unit = next(unit for unit in ("d", "h", "min", "s") if value % UNITS[unit] == 0)
        return f"{value // UNITS[unit]} {unit}"


class SchemaField(forms.CharField):
    """JSON text; nothing for no schema."""

    def __init__(self, **more: Any) -> None:
        example = '{"type": "object", "required": ["user_id"]}'
        area = forms.Textarea(
            {"rows": 8, "class": "mono", "spellcheck": "false", "placeholder": example}
        )
        super().__init__(widget=area, required=False, max_length=60_000, **more)

    def to_python(self, value: Any) -> Any:
        text = (super().to_python(value) or "").strip()
        if not text:
            return None
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            place = (
                _(" (line {lineno})").format(lineno=error.lineno)
                if isinstance(error, json.JSONDecodeError)
                else ""
            )
            raise forms.ValidationError(_("This is not JSON{place}.").format(place=place)) from None

    def prepare_value(self, value: Any) -> Any:
        return json.dumps(value, indent=2) if isinstance(value, dict) else value


class LinesField(forms.CharField):
    """Names, one a line or between commas."""

    def __init__(self, **more: Any) -> None:
        super().__init__(
            widget=forms.Textarea({"rows": 3}), required=False, max_length=20_000, **more
        )

    def to_python(self, value: Any) -> list[str]:
        parts = (super().to_python(value) or "").replace(",", "\n").splitlines()
        return [name for part in parts if (name := part.strip())]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value


class SourceForm(forms.ModelForm):
    """Everything a source says; `.fields_said` and `.secrets` are what the verbs understand."""

    mapping = MappingField(
        label=_lazy("Fields called otherwise"),
        help_text=_lazy("One a line: their name = our field"),
    )
    schema = SchemaField(
        label=_lazy("JSON Schema of a record"),
        help_text=_lazy(
            "Draft 2020-12, of a record as it is sent; what breaks it is refused by field"
        ),
    )
    pii = LinesField(
        label=_lazy("Personal fields"),
        help_text=_lazy(
            "Their names or ours, one a line. Sealed where they are stored; ids of people become "
            "tokens, by which their payments still join. Declare first, then send"
        ),
    )
    about = LinesField(
        label=_lazy("Speaks about the payments of"),
        help_text=_lazy(
            "Names of sources, one a line: then it sends chargebacks and other late words about "
            "their payments, and no payments"
        ),
    )
    late = forms.ChoiceField(
        choices=Source.Late.choices, required=False, label=_lazy("Late records")
    )
    late_after = LengthField(
        label=_lazy("Late is more than"), help_text=_lazy("Such as 90 s, 2 h or 30 d")
    )
    future = forms.ChoiceField(
        choices=Source.Future.choices, required=False, label=_lazy("Records from the future")
    )
    future_after = LengthField(
        label=_lazy("Future is more than"), help_text=_lazy("Clocks of tills differ")
    )

    class Meta:
        model = Source
        fields = (
            "name", "title", "kind", "currency", "timezone", "mapping", "about", "schema", "pii",
            "places", "late", "late_after", "future", "future_after", "active",
        )  # fmt: skip
        labels = {
            "name": _lazy("Name"),
            "title": _lazy("Title"),
            "kind": _lazy("Kind"),
            "currency": _lazy("Currency"),
            "timezone": _lazy("Time zone"),
            "active": _lazy("Active"),
            "places": _lazy("Look up places by name"),
        }
        help_texts = {
            "name": _lazy("Short, without spaces; it cannot be changed later"),
            "timezone": _lazy("Of times that state no offset, for example Asia/Kolkata"),
            "active": _lazy("Takes new files and transactions"),
            "places": _lazy(
                "A location without coordinates gets those of the city of that name, and its "
                "country; what could be two places stays as it is"
            ),
        }

    def __init__(self, data: Any = None, *, instance: Source | None = None, kind: str = "") -> None:
        instance = instance or Source(kind=kind or Source.Kind.CSV)
        super().__init__(data, instance=instance)
        self.before = Source(**{name: getattr(instance, name) for name in self.Meta.fields})
        self.fields["name"].disabled = instance.pk is not None
        self.fields["kind"].widget.choices = list(WORDS.items())
        asked = str(data.get("kind", "")) if data is not None else ""
        self.kind = asked if asked in connections.SETTINGS else str(instance.kind)
        said = instance.connection if instance.kind == self.kind else {}
        held = instance.sealed if instance.kind == self.kind else {}
        self.settings = connections.of(self.kind)
        for setting in self.settings:
            field = _field(setting, held=setting.name in held)
            field.initial = said.get(setting.name, setting.default)
            self.fields[f"set-{setting.name}"] = field

    # --- parts of the page -------------------------------------------------------------------
    def part(self, *names: str) -> list[forms.BoundField]:
        return [self[name] for name in names]

    def naming(self) -> list[forms.BoundField]:
        return self.part("name", "title", "kind", "active")

    def reaching(self) -> list[forms.BoundField]:
        return self.part(*(f"set-{setting.name}" for setting in self.settings))

    def records(self) -> list[forms.BoundField]:
        return self.part("mapping", "schema", "pii", "places", "about")

    def times(self) -> list[forms.BoundField]:
        return self.part("timezone", "currency", "late", "late_after", "future", "future_after")

    # --- what it says ------------------------------------------------------------------------
    def clean(self) -> dict[str, Any]:
        cleaned = dict(super().clean() or {})
        if self.errors:
            return cleaned
        try:
            self.fields_said, self.secrets = source_rules.checked(
                self.kind, self._said(cleaned), self._secrets(cleaned)
            )
        except Refused as refusal:
            self.refused(refusal)
        return cleaned

    def _said(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        """The fields; what the form left empty is as before."""
        said = {name: cleaned[name] for name in self.Meta.fields if name in cleaned}
        for name in ("late", "late_after", "future", "future_after"):
            if said.get(name) in (None, ""):
                said[name] = getattr(self.before, name)
        plain = [setting.name for setting in self.settings if not setting.secret]
        said["connection"] = {name: cleaned.get(f"set-{name}") for name in plain}
        return said

    def _secrets(self, cleaned: dict[str, Any]) -> dict[str, str]:
        """Those typed now; what is left empty stays."""
        names = [setting.name for setting in self.settings if setting.secret]
        return {name: text for name in names if (text := cleaned.get(f"set-{name}"))}

    def refused(self, refusal: Refused) -> None:
        """A refusal of the verb, beside its field."""
        self.add_error(self._where(refusal.field), str(refusal))

    def _where(self, field: str) -> str | None:
        group, _unused, name = field.partition("/")
        place = f"set-{name}" if group in ("connection", "secrets") else field
        return place if place in self.fields else None

    def proposed(self) -> Source:
        """The source as this form says it, unsaved, to try a sample on."""
        made = Source(**self.fields_said)
        made.pk = self.instance.pk
        return made


def _said(setting: Setting) -> Any:
    """What a setting asks for is told by its register in English; here in the reader's language."""
    return _lazy(setting.help) if setting.help else ""


def _field(setting: Setting, *, held: bool) -> forms.Field:
    common: dict[str, Any] = {
        "label": _lazy(setting.title),
        "required": False,
        "help_text": _said(setting),
    }
    if setting.secret:
        common["help_text"] = _lazy("Kept; leave it empty to keep it") if held else _said(setting)
        lock = forms.PasswordInput({"autocomplete": "new-password"}, render_value=False)
        return forms.CharField(widget=lock, max_length=20_000, **common)
    if setting.type == "choice":
        return forms.ChoiceField(choices=[(one, one) for one in setting.choices], **common)
    if setting.type == "flag":
        return forms.BooleanField(**common)
    if setting.type == "list":
        return LinesField(label=_lazy(setting.title), help_text=_said(setting))
    if setting.type == "long":
        area = forms.Textarea({"rows": 3, "class": "mono", "spellcheck": "false"})
        return forms.CharField(widget=area, max_length=20_000, **common)
    return forms.CharField(max_length=500, **common)
