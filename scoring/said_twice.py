"""Names that a YAML document says twice: its readers let the last one win, and nobody notices."""

import yaml
from yaml.nodes import MappingNode, Node, SequenceNode

from scoring.translating import Refused


def refuse(text: str, field: str) -> None:
    """Refused with the line of the first name that its object has already. Give it whole YAML."""
    if root := yaml.compose(text, Loader=yaml.SafeLoader):
        _look(root, field)


def _look(node: Node, field: str) -> None:
    if isinstance(node, SequenceNode):
        for one in node.value:
            _look(one, field)
    elif isinstance(node, MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if str(key.value) in seen:
                line = key.start_mark.line + 1
                raise Refused(field, f"“{str(key.value)[:80]}” is said twice (line {line}).")
            seen.add(str(key.value))
            _look(value, field)
