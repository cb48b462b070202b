"""The form of the preview page: what each column means, and how the file writes things."""

import csv
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import yaml
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from scoring import said_twice
from scoring.columns import Refused
from scoring.engine.names import FIELDS, REQUIRED
from scoring.engine.translation import shown
from scoring.guessing import FORMATS
from scoring.placeholders import Proposal
from scoring.translating import MEANINGS

LABEL, LABEL_KNOWN = "label", "label-known"
ROLES = [
    ("", _lazy("kept as further data")),
    (_lazy("Needed"), [(name, name) for name in REQUIRED]),
    (_lazy("Fields"), [(name, name) for name in sorted(FIELDS - set(REQUIRED))]),
    (
        _lazy("Labels"),
        [
            (LABEL, _lazy("label: fraud or not")),
            (LABEL_KNOWN, _lazy("date the label became known")),
        ],
    ),
]
MARKS = [
    ("", _lazy("plain: 1234.56")),
    (".", _lazy("1,234.56, with or without a sign")),
    (",", "1.234,56"),
]
OTHER = ("time_columns", "time_unit", "time_origin", "id_columns", "constants")  # by YAML alone
MOST_TEXT = 12_000  # fifty values of two hundred characters
MOST_YAML = 100_000


class Row(NamedTuple):
    """A column of the file, and what is asked about it."""

    column: str
    meaning: forms.BoundField
    empty: forms.BoundField
    take: forms.BoundField | None  # ticked: the proposal is taken
    proposal: Proposal | None


class MappingForm(forms.Form):
    """One choice per column, and the rest; `options` is what the verbs understand."""

    decimal_mark = forms.ChoiceField(
        choices=MARKS, required=False, label=_lazy("Amounts are written")
    )
    date_format = forms.ChoiceField(required=False, label=_lazy("Times are written"))
    currency = forms.CharField(
        required=False, max_length=3, label=_lazy("Currency of rows without one")
    )
    id_from = forms.ChoiceField(
        choices=[
            ("", _lazy("from their column")),
            ("row", _lazy("made from the number of the row")),
        ],
        required=False,
        label=_lazy("Transaction ids come"),
    )
    label_delay_days = forms.FloatField(
        required=False,
        label=_lazy("Labels become known"),
        help_text=_lazy("days after the transaction"),
    )
    fraud = forms.CharField(required=False, max_length=500, label=_lazy("Values that mean fraud"))
    legitimate = forms.CharField(required=False, max_length=500, label=_lazy("… legitimate"))
    undecided = forms.CharField(
        required=False, max_length=500, label=_lazy("… nobody can say: never learnt from")
    )
    unknown = forms.CharField(required=False, max_length=500, label=_lazy("… not known yet"))

    def __init__(
        self,
        columns: list[str],
        options: Mapping[str, Any],
        data: Any = None,
        *,
        proposed: Sequence[Proposal] = (),
    ) -> None:
        super().__init__(data, initial=initial(columns, options))
        self.columns, self.before = columns, options
        said = options.get("empty_values", {})
        self.proposed = {p.column: p for p in proposed if p.value not in said.get(p.column, [])}
        formats = dict.fromkeys((*filter(None, [options.get("date_format")]), *FORMATS))
        self.fields["date_format"].choices = [  # type: ignore[attr-defined]
            ("", _("2026-12-31T23:05:09Z, or seconds since 1970")),
            *((how, shown(how)) for how in formats),
        ]
        for number, column in enumerate(columns):
            self.fields[f"column-{number}"] = forms.ChoiceField(
                choices=ROLES,
                required=False,
                widget=forms.Select({"aria-label": _("What {column} means").format(column=column)}),
            )
            self.fields[f"empty-{number}"] = forms.CharField(
                required=False,
                max_length=MOST_TEXT,
                widget=forms.TextInput(
                    {
                        "aria-label": _("What means none in {column}").format(column=column),
                        "size": 12,
                    }
                ),
            )
            if column in self.proposed:
                self.fields[f"none-{number}"] = forms.BooleanField(required=False)

    def rows(self) -> list[Row]:
        return [
            Row(
                column,
                self[f"column-{n}"],
                self[f"empty-{n}"],
                self[f"none-{n}"] if column in self.proposed else None,
                self.proposed.get(column),
            )
            for n, column in enumerate(self.columns)
        ]

    def options(self) -> dict[str, Any]:
        """What was chosen, as options; Refused when two columns claim one meaning."""
        said = self.cleaned_data
        roles: dict[str, str] = {}
        for number, column in enumerate(self.columns):
            role = said.get(f"column-{number}")
            if role and role in roles:
                raise Refused(
                    "mapping",
                    _("“{roles}” and “{column}” both give {role}.").format(
                        roles=roles[role], column=column, role=role
                    ),
                )
            if role:
                roles[role] = column
        made: dict[str, Any] = {name: self.before[name] for name in OTHER if name in self.before}
        plain = ("decimal_mark", "date_format", "id_from", "label_delay_days")
        made |= {name: said[name] for name in plain if said.get(name) not in (None, "")}
        if said.get("currency"):
            made["constants"] = {**made.get("constants", {}), "currency": said["currency"]}
        made |= _labels(roles, said)
        if empties := self._empties():
            made["empty_values"] = empties
        made["mapping"] = {column: role for role, column in roles.items()}
        return made

    def _empties(self) -> dict[str, list[str]]:
        """Column → texts that mean none: what was written, and what was proposed and ticked."""
        said = self.cleaned_data
        made: dict[str, list[str]] = {}
        for number, column in enumerate(self.columns):
            texts = _split(said.get(f"empty-{number}", ""))
            if said.get(f"none-{number}"):
                texts.append(self.proposed[column].value)
            if texts:
                made[column] = texts
        return made


def _labels(roles: dict[str, str], said: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for role, name in ((LABEL, "label_column"), (LABEL_KNOWN, "label_known_column")):
        if column := roles.pop(role, ""):
            made[name] = column
    words = {name: _split(said.get(name, "")) for name in MEANINGS}
    if found := {name: values for name, values in words.items() if values}:
        made["label_values"] = found
    return made


def _split(text: str) -> list[str]:
    """Texts between commas; one that holds a comma stands in quotes, as in CSV."""
    parts = next(csv.reader([" ".join(text.splitlines())], skipinitialspace=True), [])
    return [word for part in parts if (word := part.strip())]


def _joined(words: Sequence[str]) -> str:
    """What `_split` takes apart again."""
    doubled = (word.replace('"', '""') for word in words)
    return ", ".join(f'"{word}"' if {",", '"'} & set(word) else word for word in doubled)


def initial(columns: list[str], options: Mapping[str, Any]) -> dict[str, Any]:
    """What the form shows for these options."""
    mapping = options.get("mapping", {})
    shown: dict[str, Any] = {
        f"column-{number}": mapping.get(column, "") for number, column in enumerate(columns)
    }
    for role, name in ((LABEL, "label_column"), (LABEL_KNOWN, "label_known_column")):
        if options.get(name) in columns:
            shown[f"column-{columns.index(options[name])}"] = role
    for name in ("decimal_mark", "date_format", "id_from", "label_delay_days"):
        shown[name] = options.get(name, "")
    shown["currency"] = options.get("constants", {}).get("currency", "")
    words, empties = options.get("label_values", {}), options.get("empty_values", {})
    shown |= {f"empty-{n}": _joined(empties.get(c, [])) for n, c in enumerate(columns)}
    return shown | {name: _joined(words.get(name, [])) for name in MEANINGS}


def as_yaml(options: Mapping[str, Any]) -> str:
    """The options as the mapping file that gives them again."""
    said = {name: value for name, value in options.items() if name not in ("columns", "read_as")}
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True)


def from_yaml(text: str) -> dict[str, Any]:
    """The options of a mapping file; Refused with the line where it is not YAML."""
    if len(text) > MOST_YAML:
        raise Refused("yaml", _("A mapping file has at most 100,000 characters."))
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise Refused("yaml", _("Write it without aliases (*name)."))
        said_twice.refuse(text, "yaml")
        # Every scalar stays the text it is: YAML 1.1 makes a column called No or On a truth value.
        said = yaml.load(text, yaml.BaseLoader)  # noqa: S506 — builds texts, lists and maps only
    except Refused:
        raise
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = _(" (line {line})").format(line=mark.line + 1) if mark else ""
        raise Refused("yaml", _("This is not YAML{line}.").format(line=line)) from None
    if not isinstance(said, dict) or not all(isinstance(name, str) for name in said):
        raise Refused("yaml", _("A mapping file names options, such as mapping and date_format."))
    return said
