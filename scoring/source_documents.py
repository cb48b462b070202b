"""A source as a YAML document, read and written: one file that makes it on any installation."""

import re
from collections.abc import Mapping
from typing import Any

import yaml
from django.utils.text import slugify

from scoring import connections, said_twice
from scoring.columns import Refused
from scoring.models import Source

MOST = 100_000
# What the document calls it → what the source does.
NAMES = {
    "name": "name", "title": "title", "source_type": "kind", "config": "connection",
    "schema": "schema", "mapping": "mapping", "about": "about", "pii_fields": "pii",
    "places": "places", "currency": "currency", "timezone": "timezone", "late": "late",
    "late_after": "late_after", "future": "future", "future_after": "future_after",
    "active": "active",
}  # fmt: skip
THEIRS = {ours: theirs for theirs, ours in NAMES.items()} | {"secrets": "config"}
SLUG = re.compile(r"[-a-zA-Z0-9_]{1,64}", re.ASCII)
TEXTS = ("title", "currency", "timezone")


def read(text: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The fields and the secrets a document gives. Refused says which part is wrong and why.

    Secrets may stand in `config`; they are sealed at once and written out never again.
    """
    said = _parsed(text)
    if unknown := sorted(set(map(str, said)) - set(NAMES)):
        raise Refused(unknown[0], f"A source has no “{unknown[0]}”; it has {', '.join(NAMES)}.")
    for needed in ("name", "source_type"):
        if not isinstance(said.get(needed), str) or not said[needed].strip():
            raise Refused(needed, f"{needed} is required: a text.")
    fields = {NAMES[name]: value for name, value in said.items()}
    for name in TEXTS:
        if name in fields and not isinstance(fields[name], str):
            raise Refused(name, f"{name} is a text; write it in quotes.")
    for name in ("active", "places"):
        if not isinstance(fields.get(name, True), bool):
            raise Refused(name, f"{name} is true or false.")
    _name(fields)
    fields["kind"] = fields["kind"].strip().lower()
    if fields["kind"] not in Source.Kind.values:
        kinds = ", ".join(Source.Kind.values)
        raise Refused("source_type", f"source_type is one of {kinds}.")
    return fields, _secrets(fields)


def as_called(refusal: Refused) -> Refused:
    """The same, its field called as the document calls it."""
    first, *rest = refusal.field.split("/")
    refusal.field = "/".join([THEIRS.get(first, first), *rest])
    return refusal


def _parsed(text: str) -> dict[str, Any]:
    if len(text) > MOST:
        raise Refused("document", f"A document has at most {MOST:,} characters.")
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise Refused("document", "Write it without aliases (*name).")
        said_twice.refuse(text, "document")
        said = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, Refused):
            raise
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark else ""
        raise Refused("document", f"This is not YAML{line}.") from None
    if not isinstance(said, dict):
        raise Refused("document", "A document names name, source_type, config and so on.")
    return said


def _name(fields: dict[str, Any]) -> None:
    """Names are short and without spaces; a longer one becomes the title as well."""
    given = fields["name"].strip()
    if not SLUG.fullmatch(given):
        fields.setdefault("title", given[:120])
        fields["name"] = slugify(given)[:64]
        if not fields["name"]:
            raise Refused("name", "A name has letters and digits.")


def _secrets(fields: dict[str, Any]) -> dict[str, str]:
    """Taken out of the connection, where documents give them."""
    said = fields.get("connection")
    if not isinstance(said, Mapping):
        return {}
    names = connections.secret_names(fields["kind"])
    fields["connection"] = {name: value for name, value in said.items() if name not in names}
    return {name: said[name] for name in names if name in said}


def write(source: Source) -> str:
    """The document that makes this source again, without its secrets."""
    told = {theirs: getattr(source, ours) for theirs, ours in NAMES.items()}
    said = {name: value for name, value in told.items() if value not in (None, "", {}, [])}
    # A choice of Django's is a text, and YAML's writer wants to see one.
    kept = {name: str(value) if isinstance(value, str) else value for name, value in said.items()}
    return str(yaml.safe_dump(kept, sort_keys=False, allow_unicode=True))
