"""Directions: a room may look back, never ahead; the engine and the sources know no Django."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("anomalyshield", "scoring", "alerts", "cases")
EVERYWHERE = {"anomalyshield"}  # accounts, audit, leases: the ground floor

# Room → what it may import of ours, longest prefix first. Nothing else.
MAY = {
    "scoring.engine": {"scoring.engine"},
    "scoring.sources": {"scoring.engine", "scoring.sources"},
    "scoring.streaming.spark": {"scoring.engine", "scoring.streaming.spark"},
    "scoring": {"scoring"} | EVERYWHERE,
    "alerts": {"scoring", "alerts"} | EVERYWHERE,
    "cases": {"scoring", "alerts", "cases"} | EVERYWHERE,
    "anomalyshield.accounts": EVERYWHERE,
    "anomalyshield.audit": EVERYWHERE,
}
WITHOUT_DJANGO = ("scoring.engine", "scoring.sources", "scoring.streaming.spark")


def modules() -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            if ".migrations." not in name:
                yield name.removesuffix(".__init__"), path


MODULES = dict(modules())


@cache
def tree_of(name: str) -> ast.Module:
    """Read when it is asked about: every process of a run collects this file, one runs it."""
    return ast.parse(MODULES[name].read_text())


def imported(name: str, tree: ast.Module) -> Iterator[str]:
    """Every module imported anywhere in the file, functions included; but not for types alone."""
    for node in running(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = name.split(".")[: -node.level] if node.level else []
            base = ".".join([*above, node.module or ""]).strip(".")
            yield from (f"{base}.{alias.name}" for alias in node.names)


def running(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run, without `if TYPE_CHECKING:` and what is in it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from running(node)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def room_of(name: str) -> str | None:
    found = [room for room in MAY if within(name, room)]
    return max(found, key=len, default=None)


@pytest.mark.parametrize("name", [name for name in MODULES if room_of(name)])
def test_a_module_looks_only_back(name):
    allowed = MAY[room_of(name) or ""]
    ours = {target for target in imported(name, tree_of(name)) if target.split(".")[0] in ROOMS}
    ahead = {target for target in ours if not any(within(target, room) for room in allowed)}
    assert not ahead


def test_every_package_of_ours_stands_under_a_rule():
    ruled = {name.split(".")[0] for name in MAY}
    assert ruled == set(ROOMS)
    packages = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert packages <= set(ROOMS)


def test_the_check_sees_a_forbidden_import():
    tree = ast.parse("def late():\n    from alerts import models\n")
    assert "alerts.models" in set(imported("scoring.x", tree))
    assert "scoring.engine.rules" in set(
        imported("scoring.engine.x", ast.parse("from . import rules"))
    )


@pytest.mark.parametrize("name", [n for n in MODULES if any(within(n, r) for r in WITHOUT_DJANGO)])
def test_the_engine_and_the_sources_name_no_framework_and_no_server(name):
    foreign = {target.split(".")[0] for target in imported(name, tree_of(name))}
    assert not foreign & {"django", "rest_framework", "celery", "psycopg", "redis"}


IMPORT_ALL = """
import importlib, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, Blocked())
for name in {names!r}:
    importlib.import_module(name)
print("imported")
"""


def run(names: list[str], blocked: set[str]) -> str:
    script = IMPORT_ALL.format(names=names, blocked=blocked)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    return done.stdout.strip() or done.stderr


def test_engine_and_sources_are_imported_with_django_blocked():
    names = [name for name in MODULES if any(within(name, room) for room in WITHOUT_DJANGO)]
    blocked = {"django", "rest_framework", "celery", "psycopg", "redis"}
    assert run(names, blocked) == "imported"


def test_the_engine_is_imported_with_every_learner_blocked():
    """A web process scores and explains from arrays: sklearn, xgboost and shap stay out of it."""
    names = [name for name in MODULES if within(name, "scoring.engine")]
    assert run(names, {"sklearn", "xgboost", "shap", "pandas"}) == "imported"


FROM_INPUT = re.compile(r"request|GET|POST|data\[|params|query_params")


@pytest.mark.parametrize("name", MODULES)
def test_no_sql_is_put_together_from_input(name):
    """An f-string given to execute() or raw() may hold constants of ours, nothing of a request."""
    for node in ast.walk(tree_of(name)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr in {"execute", "executemany", "raw", "copy", "extra"} and node.args:
            first = node.args[0]
            if isinstance(first, ast.JoinedStr):
                assert not FROM_INPUT.search(ast.unparse(first)), ast.unparse(first)
