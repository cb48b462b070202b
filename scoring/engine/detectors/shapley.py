"""Shapley values of flattened trees: each feature's share of a raw score, adding up to it.

The path-dependent values of TreeSHAP (Lundberg et al., Nature Machine Intelligence 2, 2020), in a
time that grows with the nodes alone. A leaf is worth its value times, for each feature on its path,
1 or 0 as the row passes that feature's cuts or not, or the share of training rows that pass while
the feature is not known. The Shapley value of such a product is an integral over t in 0..1 of a
polynomial: the product of `share + t × (passes - share)` without the feature's own factor.
Gauss-Legendre points integrate it exactly, and all leaves below a node are summed before their
common factors are looked at (as in Yu et al., "Linear TreeShap", NeurIPS 2022).

It is ours because `import shap` costs a web process 1.4 s
and its C extension has crashed (shap#3948); tests hold it against shap.TreeExplainer.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from scoring.engine.compiled import compiled
from scoring.engine.detectors.trees import Floats, Indices, Singles, Trees


@dataclass(frozen=True)
class Paths:
    """For each node: how it was entered, and what all explanations of its forest share."""

    parent: Indices  # -1 for a root, and for a node that no way leads to
    earlier: Indices  # the node last entered on this way by a cut on the same feature; -1 for none
    kept: Floats  # the share of training rows that pass all cuts on that feature on this way
    points: Floats  # of the integration, and their weights
    weights: Floats
    expected: float  # the mean raw score of the training rows
    largest: int  # nodes of a tree


class _Held:
    """A forest as a cache key: equal to itself alone."""

    def __init__(self, trees: Trees) -> None:
        self.trees = trees

    def __hash__(self) -> int:
        return id(self.trees)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.trees is self.trees


@lru_cache(maxsize=16)
def _paths_of(held: _Held) -> Paths:
    return _paths(held.trees)


def shares(trees: Trees, vectors: Floats) -> tuple[float, Floats]:
    """The expected raw score, and for each row the contribution of each feature."""
    paths = _paths_of(_Held(trees))
    with np.errstate(over="ignore"):
        singles = np.ascontiguousarray(vectors, np.float32)
    out = np.zeros(vectors.shape)
    _share(
        singles,
        trees.roots,
        trees.feature,
        trees.threshold,
        trees.left,
        trees.right,
        trees.missing,
        trees.value,
        paths.parent,
        paths.earlier,
        paths.kept,
        paths.points,
        paths.weights,
        paths.largest,
        out,
    )
    return paths.expected, out


def _paths(trees: Trees) -> Paths:
    count = len(trees.feature)
    parent, earlier = np.full(count, -1, np.int32), np.full(count, -1, np.int32)
    kept, reached = np.ones(count), np.ones(count)
    different = np.zeros(count, np.int32)
    _enter(
        trees.feature,
        trees.left,
        trees.right,
        trees.cover,
        parent,
        earlier,
        kept,
        reached,
        different,
    )
    leaves = trees.feature < 0
    points, weights = np.polynomial.legendre.leggauss(int(different.max()) // 2 + 1)
    return Paths(
        parent=parent,
        earlier=earlier,
        kept=kept,
        points=(points + 1) / 2,
        weights=weights / 2,
        expected=float(trees.base[0] + np.sum(reached[leaves] * trees.value[leaves])),
        largest=int(np.diff(trees.roots, append=count).max()),
    )


@compiled
def _enter(
    feature: Indices,
    left: Indices,
    right: Indices,
    cover: Floats,
    parent: Indices,
    earlier: Indices,
    kept: Floats,
    reached: Floats,
    different: Indices,
) -> None:
    """What `Paths` says of each node, how many rows reach it, by how many different features."""
    for node in range(feature.shape[0]):
        if feature[node] < 0:
            continue
        before = node
        while before >= 0 and (parent[before] < 0 or feature[parent[before]] != feature[node]):
            before = parent[before]
        for child in (left[node], right[node]):
            passed = cover[child] / cover[node]
            parent[child] = node
            earlier[child] = before
            kept[child] = passed * (kept[before] if before >= 0 else 1.0)
            reached[child] = passed * reached[node]
            different[child] = different[node] + (0 if before >= 0 else 1)


@compiled
def _share(
    rows: Singles,
    roots: Indices,
    feature: Indices,
    threshold: Singles,
    left: Indices,
    right: Indices,
    missing: Indices,
    value: Floats,
    parent: Indices,
    earlier: Indices,
    kept: Floats,
    points: Floats,
    weights: Floats,
    largest: int,
    out: Floats,
) -> None:
    count = points.shape[0]
    taken = np.empty(largest, np.int32)  # where the row goes from a node
    passes = np.empty(largest)  # 1 where it passes every cut on the feature a node was entered by
    product = np.empty((largest, count))  # of the factors on the way to a node, at each point
    below = np.empty((largest, count))  # the worth of the leaves below a node, at each point
    for at in range(rows.shape[0]):
        for tree in range(roots.shape[0]):
            first = roots[tree]
            end = roots[tree + 1] if tree + 1 < roots.shape[0] else feature.shape[0]
            for node in range(first, end):  # parents come before children
                own, above, before = node - first, parent[node] - first, earlier[node] - first
                if parent[node] < 0:
                    product[own] = 1.0
                else:
                    through = taken[above] == node
                    share = kept[node]
                    if before < 0:
                        passes[own] = 1.0 if through else 0.0
                        for point in range(count):
                            factor = share + points[point] * (passes[own] - share)
                            product[own, point] = product[above, point] * factor
                    else:
                        passes[own] = passes[before] if through else 0.0
                        old = kept[earlier[node]]
                        for point in range(count):
                            factor = share + points[point] * (passes[own] - share)
                            instead = old + points[point] * (passes[before] - old)
                            product[own, point] = product[above, point] * factor / instead
                if feature[node] < 0:
                    for point in range(count):
                        below[own, point] = product[own, point] * value[node] * weights[point]
                    continue
                below[own] = 0.0
                seen = rows[at, feature[node]]
                if seen < threshold[node]:
                    taken[own] = left[node]
                elif seen == seen:
                    taken[own] = right[node]
                else:
                    taken[own] = missing[node]
            for node in range(end - 1, first, -1):
                if parent[node] < 0:
                    continue
                own, above, before = node - first, parent[node] - first, earlier[node] - first
                share, change = kept[node], passes[own] - kept[node]
                gained = 0.0
                for point in range(count):
                    worth = below[own, point]
                    below[above, point] += worth
                    gained += worth * change / (share + points[point] * change)
                if before >= 0:  # the earlier cut's share of these leaves is counted again above
                    old = kept[earlier[node]]
                    moved = passes[before] - old
                    for point in range(count):
                        gained -= below[own, point] * moved / (old + points[point] * moved)
                out[at, feature[parent[node]]] += gained
