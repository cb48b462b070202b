"""The YAML of a feature pipeline, read into the engine's plan; every fault with its line."""

from collections.abc import Callable
from typing import NamedTuple

import yaml
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from anomalyshield.templatetags.words import figure
from scoring.engine import plan as plans
from scoring.engine.families import FAMILIES
from scoring.engine.plan import Imputation, Plan, Scaling, Step
from scoring.engine.register import NAMES

MOST = 20_000  # characters
ABOUT = ("name", "description", "version")  # kept as text, without effect
SETTINGS = ("config", "params", "parameters")
PERSONAL = _lazy(
    "A vector holds numbers only: a source declares its personal fields, not a pipeline."
)
CHOICE = ("families", "features")
TRUTHS = {"true": True, "false": False}


class Problem(NamedTuple):
    """One fault: the line, counted from 1, the field's path, and why."""

    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        return f"Line {self.line}, {self.field}: {self.reason}"


class Unreadable(ValueError):
    """The document is not a pipeline; `problems` are all faults that were found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(" ".join(str(problem) for problem in problems))
        self.problems = problems


def read(text: str) -> Plan:
    """The plan a document describes, or Unreadable with every fault and its line."""
    reader = _Reader()
    reader.document(_composed(text))
    if reader.problems:
        raise Unreadable(sorted(reader.problems))
    return reader.plan()


def _composed(text: str) -> Node:
    if len(text) > MOST:
        raise Unreadable(
            [
                Problem(
                    1,
                    "document",
                    _("It has more than {most} characters.").format(most=figure(f"{MOST:,}")),
                )
            ]
        )
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise Unreadable([Problem(1, "document", _("Write it without aliases (*name)."))])
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, Unreadable):
            raise
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or _("it cannot be parsed")
        line = mark.line + 1 if mark else 1
        raise Unreadable(
            [Problem(line, "document", _("This is not YAML: {why}.").format(why=why))]
        ) from None
    if root is None:
        raise Unreadable([Problem(1, "document", _("It is empty; it needs “transformations”."))])
    return root


class _Reader:
    """Walks the document's nodes, which know their lines, and collects plan and faults."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.steps: list[Step] = []
        self.named: set[str] | None = None  # window aggregates, once a step names some
        self.dropped: set[str] = set()

    def plan(self) -> Plan:
        out = set(self.dropped)
        if self.named is not None:
            out |= plans.aggregates() - self.named
        return Plan(tuple(name for name in NAMES if name not in out), tuple(self.steps))

    def document(self, root: Node) -> None:
        keys = self._mapping(root, "document")
        for name in ABOUT:
            if name in keys:
                self._text(keys.pop(name), name)
        given = keys.pop("transformations", None)
        self._nothing_else(keys, "document", ("transformations", *ABOUT))
        if given is None:
            self._wrong(root, "transformations", _("It is missing; it is a list of steps."))
            return
        for number, node in enumerate(self._sequence(given, "transformations")):
            self._step(node, f"transformations[{number}]")
        if not self.problems and not self.plan().columns:
            self._wrong(given, "transformations", _("Nothing is left for a model to learn from."))

    def _step(self, node: Node, path: str) -> None:
        keys = self._mapping(node, path)
        if len(keys) == 1 and next(iter(keys)) in KINDS:  # - imputation: {strategy: mean}
            ((kind, inner),) = keys.items()
            KINDS[kind](self, inner, self._mapping(inner, f"{path}.{kind}"), f"{path}.{kind}")
            return
        named = keys.pop("type", None) or keys.pop("name", None)
        if named is None:
            word = next(iter(keys)) if len(keys) == 1 else ""
            why = (
                _no_such(word, KINDS, "step")
                if word
                else _("There are {listed}.").format(listed=_listed(KINDS))
            )
            self._wrong(node, f"{path}.type", why)
            return
        kind = self._text(named, f"{path}.type")
        keys.pop("name", None)
        for word in SETTINGS:  # - {type: imputation, config: {strategy: mean}}
            if word in keys:
                path = f"{path}.{word}"
                keys |= self._mapping(keys.pop(word), path)
        if kind not in KINDS:
            self._wrong(named, f"{path}.type", _no_such(kind, KINDS, "step"))
            return
        KINDS[kind](self, node, keys, path)

    def imputation(self, node: Node, keys: dict[str, Node], path: str) -> None:
        strategy = self._word(node, keys, "strategy", path, plans.IMPUTATIONS)
        value = 0.0
        if strategy == "constant":
            value = self._number(node, keys, path)
        indicator = self._truth(keys, "indicator", path)
        columns = self._columns(node, keys, path)
        self._nothing_else(keys, path, ("strategy", "value", "indicator", *CHOICE))
        if strategy:
            self.steps.append(Imputation(strategy, value, indicator, columns))

    def scaling(self, node: Node, keys: dict[str, Node], path: str) -> None:
        method = self._word(node, keys, "method", path, plans.SCALINGS)
        columns = self._columns(node, keys, path)
        self._nothing_else(keys, path, ("method", *CHOICE))
        if method:
            self.steps.append(Scaling(method, columns))

    def aggregation(self, node: Node, keys: dict[str, Node], path: str) -> None:
        entity = self._word(node, keys, "entity_key", path, tuple(plans.ENTITIES))
        windows = self._words(node, keys, "windows", path, plans.WINDOWS)
        kinds = self._words(node, keys, "aggregations", path, tuple(plans.AGGREGATIONS))
        self._nothing_else(keys, path, ("entity_key", "windows", "aggregations"))
        self.named = self.named or set()
        for window, at in windows.items():
            for kind in kinds:
                name = plans.aggregate(entity, window, kind) if entity else ""
                if name is None:
                    why = _("The {kind} over {window} is not computed for {entity}.").format(
                        kind=kind, window=window, entity=entity
                    )
                    self._wrong(at, f"{path}.windows", why)
                elif name:
                    self.named.add(name)

    def drop(self, node: Node, keys: dict[str, Node], path: str) -> None:
        columns = self._columns(node, keys, path)
        self._nothing_else(keys, path, CHOICE)
        if not columns:
            self._wrong(node, path, _("It names neither families nor features."))
        self.dropped |= set(columns)

    def _columns(self, node: Node, keys: dict[str, Node], path: str) -> tuple[str, ...]:
        """The features of the families and features named, in the register's order; empty: none."""
        asked = [name for name in CHOICE if name in keys]
        families = self._words(node, keys, "families", path, tuple(FAMILIES), needed=False)
        chosen = {name for family in families for name in FAMILIES[family].features}
        chosen |= set(self._words(node, keys, "features", path, NAMES, needed=False))
        if asked and not chosen:
            self._wrong(node, f"{path}.{asked[0]}", _("The list is empty."))
        return tuple(name for name in NAMES if name in chosen)

    def personal(self, node: Node, keys: dict[str, Node], path: str) -> None:
        self._wrong(node, path, PERSONAL)

    def _word(
        self,
        node: Node,
        keys: dict[str, Node],
        name: str,
        path: str,
        known: tuple[str, ...],
    ) -> str:
        """The value of a key that must be one of the known words; empty when it is not."""
        if name not in keys:
            self._wrong(
                node,
                f"{path}.{name}",
                _("It is missing; there are {listed}.").format(listed=_listed(known)),
            )
            return ""
        at = keys.pop(name)
        return self._one_of(at, f"{path}.{name}", known)

    def _truth(self, keys: dict[str, Node], name: str, path: str) -> bool:
        if name not in keys:
            return False
        at = keys.pop(name)
        word = self._text(at, f"{path}.{name}").lower()
        if word not in TRUTHS:
            self._wrong(at, f"{path}.{name}", _("Say true or false."))
        return TRUTHS.get(word, False)

    def _one_of(self, at: Node, path: str, known: tuple[str, ...]) -> str:
        word = self._text(at, path)
        if word and word not in known:
            self._wrong(at, path, _no_such(word, known))
            return ""
        return word

    def _words(
        self,
        node: Node,
        keys: dict[str, Node],
        name: str,
        path: str,
        known: tuple[str, ...],
        *,
        needed: bool = True,
    ) -> dict[str, Node]:
        """A list of known words, each with where it stands."""
        if name not in keys:
            if needed:
                self._wrong(
                    node,
                    f"{path}.{name}",
                    _("It is missing; there are {listed}.").format(listed=_listed(known)),
                )
            return {}
        at, found = keys.pop(name), {}
        for number, one in enumerate(self._sequence(at, f"{path}.{name}")):
            if word := self._one_of(one, f"{path}.{name}[{number}]", known):
                found[word] = one
        if not found and needed and not getattr(at, "value", None):
            self._wrong(at, f"{path}.{name}", _("The list is empty."))
        return found

    def _number(self, node: Node, keys: dict[str, Node], path: str) -> float:
        if "value" not in keys:
            self._wrong(node, f"{path}.value", _("A constant needs its value."))
            return 0.0
        at = keys.pop("value")
        try:
            value = float(self._text(at, f"{path}.value"))
            if abs(value) < 1e15:
                return value
        except ValueError:
            pass
        self._wrong(at, f"{path}.value", _("It is not a number."))
        return 0.0

    def _mapping(self, node: Node, path: str) -> dict[str, Node]:
        if not isinstance(node, MappingNode):
            self._wrong(node, path, _("Names with values are expected here."))
            return {}
        found: dict[str, Node] = {}
        for key, value in node.value:
            name = self._text(key, path)
            if name in found:
                self._wrong(key, f"{path}.{name}", _("It is said twice."))
            found[name] = value
        return found

    def _sequence(self, node: Node, path: str) -> list[Node]:
        if isinstance(node, SequenceNode):
            return list(node.value)
        self._wrong(node, path, _("A list is expected here."))
        return []

    def _text(self, node: Node, path: str) -> str:
        if isinstance(node, ScalarNode):
            return str(node.value)
        self._wrong(node, path, _("A single word is expected here."))
        return ""

    def _nothing_else(self, keys: dict[str, Node], path: str, known: tuple[str, ...]) -> None:
        for name, node in keys.items():
            self._wrong(node, f"{path}.{name}", _no_such(name, known, "setting"))

    def _wrong(self, node: Node, field: str, reason: str) -> None:
        self.problems.append(Problem(node.start_mark.line + 1, field, reason))


KINDS: dict[str, Callable[[_Reader, Node, dict[str, Node], str], None]] = {
    "imputation": _Reader.imputation,
    "scaling": _Reader.scaling,
    "time_window_aggregation": _Reader.aggregation,
    "drop": _Reader.drop,
    "pii_mask": _Reader.personal,
    "pii_hash": _Reader.personal,
}


def _no_such(word: str, known: tuple[str, ...] | dict[str, object], what: str = "choice") -> str:
    return _("There is no {what} “{word}”; there are {listed}.").format(
        what=what, word=word[:60], listed=_listed(known)
    )


def _listed(known: tuple[str, ...] | dict[str, object]) -> str:
    names = list(known)
    return (
        ", ".join(names)
        if len(names) <= 20
        else _("{names}, listed on the feature page").format(names=len(names))
    )
