"""Our trees as other libraries read them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.engine.detectors.trees import Trees

Floats = NDArray[np.float64]


def explainer_of(trees: Trees) -> Any:
    """shap's explainer of these trees, path-dependent as ours."""
    import shap

    return shap.TreeExplainer(as_shap_reads_it(trees), feature_perturbation="tree_path_dependent")


def shap_values(explainer: Any, vectors: Floats) -> Floats:
    """One row per vector, one column per feature."""
    theirs = explainer.shap_values(vectors.astype(np.float32), check_additivity=False)
    return np.asarray(theirs, np.float64).reshape(vectors.shape)


def as_shap_reads_it(trees: Trees) -> dict[str, Any]:
    """shap's dictionary model. It goes left at <=, so thresholds move down by one 32-bit step."""
    ends = [*trees.roots[1:].tolist(), len(trees.feature)]
    parts = []
    for start, end in zip(trees.roots.tolist(), ends, strict=True):
        part = slice(start, end)

        def moved(children, part=part, start=start):
            return np.where(trees.feature[part] >= 0, children[part] - start, -1)

        below = np.nextafter(trees.threshold[part], np.float32(-np.inf)).astype(np.float64)
        parts.append(
            {
                "children_left": moved(trees.left),
                "children_right": moved(trees.right),
                "children_default": moved(trees.missing),
                "features": trees.feature[part],
                "thresholds": below,
                "values": trees.value[part].reshape(-1, 1),
                "node_sample_weight": trees.cover[part],
            }
        )
    return {"trees": parts, "base_offset": float(trees.base[0]), "input_dtype": np.float32}
