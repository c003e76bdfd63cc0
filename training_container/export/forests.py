"""Trees as TreeEnsemble nodes (ai.onnx.ml 5) of a graph.

The time that onnxruntime takes to open such a node grows faster than the number of its trees: forests are cut into
parts (`docs/experiments.md`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto, numpy_helper

from training_container.export.nodes import ML
from training_container.models.trees import Trees

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from training_container.export.nodes import Nodes

TREES = 512
"""In a part: fewer open hardly quicker, and cost one row a microsecond a part."""

LEFT_WHEN_AT_MOST = 0
"""TreeEnsemble's mode of a split: `value <= threshold`."""


def add_forest(nodes: Nodes, inputs: str, models: Sequence[Trees], columns: Sequence[np.ndarray], outputs: int,
               result: str, size: int = TREES) -> str:  # fmt: skip
    """Adds the mean of `models` (one a fold, each reading its own `columns` of `inputs`): float32 [N, outputs].

    A node holds `size` trees.

    Leaves are added in float64, as the libraries do: over thousands of trees float32 would leave the sums as far apart
    as the proof allows. Decisions are those about float32 values still.
    """
    own = [replace(model, feature=places[model.feature], value=model.value / len(models))
           for model, places in zip(models, columns, strict=True)]  # fmt: skip
    wide = nodes.add("Cast", inputs, to=TensorProto.DOUBLE)
    sums = [_add_part(nodes, wide, part, outputs) for part in parts(_rooted(Trees.joined(own)), size)]
    total = sums[0] if len(sums) == 1 else nodes.add("Sum", *sums)
    return nodes.add("Cast", total, result=result, to=TensorProto.FLOAT)


def _add_part(nodes: Nodes, inputs: str, trees: Trees, outputs: int) -> str:
    constants: dict[str, np.ndarray] = {
        "nodes_splits": trees.threshold.astype(np.float64),
        "nodes_modes": np.full(len(trees.feature), LEFT_WHEN_AT_MOST, np.uint8),
        "leaf_weights": trees.value,
    }
    sides = {f"nodes_{name}nodeids": _places(child) for name, child in (("true", trees.left), ("false", trees.right))}
    leafs = {f"nodes_{name}leafs": child < 0 for name, child in (("true", trees.left), ("false", trees.right))}
    whole = {"nodes_featureids": trees.feature, "nodes_missing_value_tracks_true": trees.nan_left,
             "leaf_targetids": trees.output, "tree_roots": trees.roots, **sides, **leafs}  # fmt: skip
    return nodes.add(
        "TreeEnsemble", inputs, domain=ML, n_targets=outputs, aggregate_function=1, post_transform=0,
        **{name: values.astype(np.int64).tolist() for name, values in whole.items()},
        **{name: numpy_helper.from_array(values, name) for name, values in constants.items()},
    )  # fmt: skip


def parts(trees: Trees, size: int) -> Iterator[Trees]:
    """The same trees, `size` a part; each root is a split."""
    split_part, leaf_part = (tree // size for tree in _tree_of_each(trees))
    moved_split, moved_leaf = np.empty(len(split_part), np.int64), np.empty(len(leaf_part), np.int64)
    for part in range(-(-len(trees.roots) // size)):
        splits, leaves = (np.flatnonzero(each == part) for each in (split_part, leaf_part))
        moved_split[splits], moved_leaf[leaves] = np.arange(len(splits)), np.arange(len(leaves))
        left, right = (
            np.where(child < 0, ~moved_leaf[np.maximum(~child, 0)], moved_split[np.maximum(child, 0)])
            for child in (trees.left[splits], trees.right[splits])
        )
        roots = moved_split[trees.roots[part * size : (part + 1) * size]]
        yield Trees(trees.feature[splits], trees.threshold[splits], left, right, trees.nan_left[splits], roots,
                    trees.value[leaves], trees.output[leaves])  # fmt: skip


def _tree_of_each(trees: Trees) -> tuple[np.ndarray, np.ndarray]:
    """The number of the tree that each split and each leaf belongs to, found from the roots down."""
    splits, leaves = np.zeros(len(trees.feature), np.int64), np.zeros(len(trees.value), np.int64)
    at, tree = trees.roots, np.arange(len(trees.roots))
    while len(at):
        splits[at] = tree
        at, tree = np.r_[trees.left[at], trees.right[at]], np.r_[tree, tree]
        leaves[~at[at < 0]] = tree[at < 0]
        at, tree = at[at >= 0], tree[at >= 0]
    return splits, leaves


def _places(child: np.ndarray) -> np.ndarray:
    return np.where(child < 0, ~child, child)


def _rooted(model: Trees) -> Trees:
    """Every tree with a split at its root, as the operator wants it: a lone leaf becomes both sides of one."""
    lone = np.flatnonzero(model.roots < 0)
    leaf, roots, none = model.roots[lone], model.roots.copy(), np.zeros(len(lone), np.int64)
    roots[lone] = len(model.feature) + np.arange(len(lone))
    return replace(
        model,
        feature=np.r_[model.feature, none],
        threshold=np.r_[model.threshold, none.astype(np.float32)],
        left=np.r_[model.left, leaf],
        right=np.r_[model.right, leaf],
        nan_left=np.r_[model.nan_left, none > 0],
        roots=roots,
    )
