"""Every sentence that asks to be translated: of the templates, the code and the engine's registers.

Pure Python on purpose: neither xgettext nor msgfmt has to be on the machine.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation.template import templatize

ROOMS = ("anomalyshield", "scoring", "alerts", "cases")
# Name of the function: where its context, sentence and plural stand among the arguments.
CALLS = {
    "_": (None, 0, None),
    "_lazy": (None, 0, None),
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "gettext_noop": (None, 0, None),
    "_noop": (None, 0, None),
    "ngettext": (None, 0, 1),
    "ngettext_lazy": (None, 0, 1),
    "pgettext": (0, 1, None),
    "pgettext_lazy": (0, 1, None),
    "npgettext": (0, 1, 2),
}
LITERAL = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
CALLED = re.compile(rf"\b(n?p?gettext|_)\(\s*({LITERAL}(?:\s*,\s*{LITERAL})*)")
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|\{\w*(?:[.!:][^{}]*)?\}")


@dataclass(frozen=True)
class Sentence:
    """What is looked up: the English words, their plural and context, and the file they are in."""

    text: str
    plural: str = ""
    context: str | None = None
    file: str = ""

    @property
    def key(self) -> tuple[str | None, str]:
        return self.context, self.text


def sentences() -> dict[tuple[str | None, str], Sentence]:
    """Each once, in the order of files and lines; of two places the first one counts."""
    found: dict[tuple[str | None, str], Sentence] = {}
    for sentence in (*of_templates(), *of_code(), *of_registers()):
        if sentence.text and (sentence.key not in found or sentence.plural):
            found[sentence.key] = sentence
    return found


def of_templates() -> Iterator[Sentence]:
    folder = settings.BASE_DIR / "templates"
    for path in sorted(folder.rglob("*.html")):
        yield from in_template(path.read_text(encoding="utf-8"), _named(path))


def in_template(text: str, file: str = "") -> Iterator[Sentence]:
    for name, arguments in CALLED.findall(templatize(text)):
        given = [ast.literal_eval(one) for one in re.findall(LITERAL, arguments)]
        yield _said(name, given, file)


def of_code() -> Iterator[Sentence]:
    for room in ROOMS:
        for path in sorted((settings.BASE_DIR / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield from in_code(path.read_text(encoding="utf-8"), _named(path))


def in_code(text: str, file: str = "") -> Iterator[Sentence]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and (name := _name_of(node.func)) in CALLS:
            given = [one.value for one in node.args if isinstance(one, ast.Constant)]
            if len(given) > max(place or 0 for place in CALLS[name]):
                yield _said(name, given, file)


def of_registers() -> Iterator[Sentence]:
    """What the engine says of itself: it knows no Django, so pages look its words up."""
    from anomalyshield.languages.registers import told  # it imports the whole engine

    for text, file in told():
        yield Sentence(text, file=file)


def placeholders(text: str) -> set[str]:
    """`%(count)s` and `{name:,.0f}` of a sentence; a translation has the same ones."""
    return set(PLACEHOLDER.findall(text.replace("%%", "")))


def _said(name: str, given: list[str], file: str) -> Sentence:
    context, text, plural = CALLS[name]
    return Sentence(
        given[text],
        given[plural] if plural is not None else "",
        given[context] if context is not None else None,
        file,
    )


def _name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _named(path: Path) -> str:
    return path.relative_to(settings.BASE_DIR).as_posix()
