"""The manual of the API: rights, refusals and credentials of every operation, from the code."""

from functools import lru_cache
from typing import Any

from django.utils.translation import get_language
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance
from rest_framework.serializers import CharField
from rest_framework.views import APIView

from anomalyshield.accounts.roles import PUBLIC, TABLE, TITLES
from anomalyshield.problems import MEDIA_TYPE
from anomalyshield.problems import TITLES as MEANINGS
from anomalyshield.rest.resource import Download
from anomalyshield.rest.shapes import Strict

RIGHTS = {action.name: action for action in TABLE}
# First step of an address → the heading it stands under, where that is another word.
GROUPS = {"ingest": "files", "detect": "scoring", "predict": "scoring", "policies": "rules"}
EMPTY = {"type": "string", "maxLength": 0}
PROBLEM = {
    "type": "object",
    "description": "Why a request was refused (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "A sentence for a person"},
        "code": {"type": "string", "description": "A word for a program"},
        "pointer": {"type": "string", "description": "The field, as a JSON Pointer (RFC 6901)"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
        "request_id": {"type": "string", "description": "Also in the log and the audit trail"},
    },
}


def completed(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The whole manual, with the parts that every operation refers to."""
    for kind, parts in components().items():
        result["components"].setdefault(kind, {}).update(parts)
    _mended(result)
    return result


def _mended(part: Any) -> None:
    """Without the generator's own marks, and with "may be empty" said so that it holds.

    A format is no more than a note to many readers, so "" is a text of any format *and* the empty
    text: exactly one of both, as the generator writes, would refuse what is allowed.
    """
    if isinstance(part, dict):
        part.pop("x-spec-enum-id", None)
        if EMPTY in part.get("oneOf", ()):
            part["anyOf"] = part.pop("oneOf")
        if {} in part.get("oneOf", ()):
            del part["oneOf"]  # anything or null: null is anything, too
    for inner in part.values() if isinstance(part, dict) else part:
        if isinstance(inner, dict | list):
            _mended(inner)


def components() -> dict[str, Any]:
    """What every operation refers to: the problem, and one answer for each refusal."""
    example = {
        "type": "about:problem/invalid",
        "title": MEANINGS[400],
        "status": 400,
        "detail": "Some fields are not valid.",
        "code": "invalid",
        "errors": [{"pointer": "/limit", "detail": "A valid integer is required."}],
        "request_id": "3f0e9f0a-8f6c-4f0e-9a54-5a1f6f1f2b11",
    }
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    told = {MEDIA_TYPE: {**content[MEDIA_TYPE], "example": example}}
    answers = {
        f"Problem{status}": {
            "description": meaning,
            "content": told if status == 400 else content,
        }
        for status, meaning in MEANINGS.items()
    }
    return {"schemas": {"Problem": PROBLEM}, "responses": answers}


@lru_cache(maxsize=8)
def _made(language: str | None, version: str | None) -> dict[str, Any]:
    whole: dict[str, Any] = SchemaGenerator(api_version=version).get_schema(public=True)
    return whole


def negotiates(view: Any) -> bool:
    """Whether it refuses who accepts other kinds; files are what they are, and doors for payments
    look at nothing that does not matter to them."""
    return type(view).dispatch is APIView.dispatch and not isinstance(view, Download)


class MadeOnce(SchemaGenerator):
    """The manual for whoever may read it: a second's work, and alike as long as a process runs."""

    def get_schema(self, *_: Any, **__: Any) -> dict[str, Any]:
        return _made(get_language(), self.api_version)


class Schema(AutoSchema):
    """One operation as the manual shows it."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        answers = operation["responses"]
        declared = {int(status) for status in answers if int(status) >= 400}
        for status in sorted(declared | self._refusals(operation)):
            answers[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
        return operation

    def get_description(self) -> str:
        """The docstring, and whose right it is."""
        lines = (self._doc() or "").split("\n", 1)
        rest = lines[1].strip() if len(lines) > 1 else ""
        return "\n\n".join(part for part in (rest, self._right()) if part)

    def get_summary(self) -> str | None:
        return (self._doc() or "").split("\n", 1)[0].rstrip(".") or None

    def get_auth(self) -> list[dict[str, Any]]:
        """A key only where a scope opens it."""
        if self._action() == PUBLIC:
            return [{}]
        found = super().get_auth()
        opens = getattr(RIGHTS.get(self._action()), "scopes", None)
        return [one for one in found if opens or "apiKey" not in one]

    def get_tags(self) -> list[str]:
        parts = [part for part in self.path.split("/") if part not in ("", "api", "v1")]
        return [GROUPS.get(parts[0], parts[0])]

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Any:
        """What is refused by `Strict` is refused by the manual: other members, empty texts."""
        shape = super()._map_basic_serializer(serializer, direction)
        if isinstance(serializer := force_instance(serializer), Strict):
            shape["additionalProperties"] = False
            for name, field in serializer.fields.items():
                if isinstance(field, CharField) and not field.allow_blank:
                    shape["properties"][name].setdefault("minLength", 1)
        return shape

    def _doc(self) -> str:
        """Of the method, else of the class."""
        method = getattr(self.view, self.method.lower(), None)
        text = getattr(method, "__doc__", None) or type(self.view).__doc__ or ""
        return "\n".join(line.strip() for line in text.strip().splitlines())

    def _action(self) -> str:
        by_method = getattr(self.view, "actions", {})
        return str(by_method.get(self.method) or getattr(self.view, "action", ""))

    def _right(self) -> str:
        action = RIGHTS.get(self._action())
        if action is None:
            return "For everyone."
        roles = ", ".join(str(TITLES[role]) for role in TITLES if role in action.roles)
        keys = ", ".join(f"`{scope}`" for scope in sorted(action.scopes))
        more = f" Condition: {action.condition}." if action.condition else ""
        scopes = f" Keys with {keys}." if keys else " No key opens this."
        return f"Right `{action.name}`: {roles}.{scopes}{more}"

    def _refusals(self, operation: dict[str, Any]) -> set[int]:
        found = {401, 503} | (set() if self._action() == PUBLIC else {403})
        places = {parameter["in"] for parameter in operation.get("parameters", [])}
        names = {parameter["name"] for parameter in operation.get("parameters", [])}
        if negotiates(self.view):
            found.add(406)
        if "path" in places:
            found |= {404, 414}
        if self.method != "GET":
            found |= {400, 408, 413, 415}
        if "query" in places:
            found |= {400, 414}
        if "If-Match" in names:
            found.add(412)
        if getattr(self.view, "refusals", ()) and self.method != "GET":
            found.add(409)
        return found
