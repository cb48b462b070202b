"""Values as a JSON Schema describes them, and values it does not describe: for hypothesis."""

from collections.abc import Callable
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from hypothesis import strategies as st

Schema = dict[str, Any]
TEXTS = [
    "",
    " ",
    "x" * 300,
    "é€𝄞",
    "=1+1",
    "2026-13-01",
    "１２",
    "'; --",
    "../..",
    "null",
    "\u202e",
]
MOMENTS = ["2026-11-20T10:00:00Z", "2031-01-01T00:00:00+05:30", "2020-02-29T23:59:59", "2026-1-1"]
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
    | st.sampled_from(TEXTS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "id", "value", "reason", ""]), inner, max_size=3)
    ),
    max_leaves=5,
)


@cache
def manual() -> dict[str, Any]:
    """What the generator makes of the code: a second's work, asked for by several files."""
    made: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return made


class Drawing:
    """Draws from the schemas of one manual."""

    def __init__(self, manual: dict[str, Any]) -> None:
        self.parts = manual["components"]["schemas"]

    def of(self, schema: Schema, depth: int = 0) -> st.SearchStrategy[Any]:
        """What the schema allows; formats and patterns are met as far as the texts below go."""
        if "$ref" in schema:
            return self.of(self.parts[schema["$ref"].rpartition("/")[2]], depth)
        for joined in ("oneOf", "anyOf", "allOf"):
            if joined in schema:
                return st.one_of([self.of(one, depth) for one in schema[joined]])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        kinds = schema.get("type")
        several = kinds if isinstance(kinds, list) else [kinds]
        drawn = [KINDS[kind](self, schema, depth) for kind in several if kind in KINDS]
        return st.one_of(drawn) if drawn else anything

    def text(self, schema: Schema, depth: int) -> st.SearchStrategy[str]:
        if schema.get("format") == "date-time":
            return st.sampled_from(MOMENTS)
        least, most = schema.get("minLength", 0), min(schema.get("maxLength", 40), 400)
        fitting = [text for text in (*TEXTS, "ok", "USD", "UTC") if least <= len(text) <= most]
        return st.sampled_from(fitting) | st.text(min_size=least, max_size=min(most, 20))

    def whole(self, schema: Schema, depth: int) -> st.SearchStrategy[int]:
        least, most = schema.get("minimum", -(2**63)), schema.get("maximum", 2**63 - 1)
        return st.integers(int(least), int(most))

    def number(self, schema: Schema, depth: int) -> st.SearchStrategy[float]:
        least, most = schema.get("minimum", -1e15), schema.get("maximum", 1e15)
        return st.floats(float(least), float(most), allow_nan=False)

    def some(self, schema: Schema, depth: int) -> st.SearchStrategy[list[Any]]:
        inner = self.of(schema.get("items", {}), depth + 1)
        least = schema.get("minItems", 0)
        return st.lists(inner, min_size=least, max_size=max(least, 3))

    def members(self, schema: Schema, depth: int) -> st.SearchStrategy[dict[str, Any]]:
        known = {
            name: self.of(part, depth + 1)
            for name, part in schema.get("properties", {}).items()
            if depth < 4
        }
        needed = {name: known.pop(name) for name in schema.get("required", ()) if name in known}
        if not known and not needed:
            other = schema.get("additionalProperties")
            inner = self.of(other, depth + 1) if isinstance(other, dict) else anything
            return st.dictionaries(st.sampled_from(["a", "b", "Betrag"]), inner, max_size=3)
        return st.fixed_dictionaries(needed, optional=known)

    def near(self, schema: Schema) -> st.SearchStrategy[Any]:
        """Almost what it allows: one member of another kind, one too many, one left out."""

        def spoilt(drawn: tuple[Any, int, Any, str]) -> Any:
            body, place, other, how = drawn
            if not isinstance(body, dict) or not body or how == "all":
                return other
            name = sorted(body)[place % len(body)]
            changed = {**body, name: other} if how == "change" else {**body, "unheard_of": other}
            return {n: v for n, v in body.items() if n != name} if how == "drop" else changed

        hows = st.sampled_from(["change", "change", "drop", "add", "all"])
        return st.tuples(self.of(schema), st.integers(0, 20), anything, hows).map(spoilt)


KINDS: dict[Any, Callable[[Drawing, Schema, int], st.SearchStrategy[Any]]] = {
    "string": Drawing.text,
    "integer": Drawing.whole,
    "number": Drawing.number,
    "boolean": lambda self, schema, depth: st.booleans(),
    "null": lambda self, schema, depth: st.none(),
    "array": Drawing.some,
    "object": Drawing.members,
}
