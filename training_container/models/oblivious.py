"""CatBoost's oblivious trees as the smallest decision trees that answer the same.

Every node of a level asks the same there, so a tree written out split by split asks much in vain: what the path has
decided already (a column stands in several levels), or where the leaves on both sides hold the same (those that
training left empty hold 0). A *cell* is the part of a tree where each level is decided, low or high, or open; there
are 3^depth. Cells whose leaves agree need no split, others one more than the two halves by the best of their open
levels: dynamic programming, which is exact, over all trees of a depth at once.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from training_container.models.trees import Trees

if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN = 2
"""A level's digit in a cell's number, base 3, that is not decided; 0 is low (value <= border), 1 is high."""

AT_ONCE = 2_000_000
"""Cells of trees that are weighed together: what bounds the memory."""


@dataclass(frozen=True)
class Oblivious:
    """Trees of one depth; bit i of a leaf's place is 1 where the row's value exceeds the border of level i."""

    feature: np.ndarray
    """int64 [trees, depth]."""
    border: np.ndarray
    """float32 [trees, depth]."""
    values: np.ndarray
    """float64 [trees, 2^depth]."""

    @property
    def depth(self) -> int:
        """Levels of each."""
        return int(self.feature.shape[1])

    def take(self, rows: slice) -> Oblivious:
        """Some of the trees."""
        return Oblivious(self.feature[rows], self.border[rows], self.values[rows])


def of_catboost(model: dict[str, Any]) -> Trees:
    """The trees in CatBoost's JSON, once for each output.

    Raises:
        ValueError: a split of another kind than a number's.
    """
    scale, bias = model["scale_and_bias"]
    floats = model["features_info"]["float_features"]
    nan_right = np.array([column["nan_value_treatment"] == "AsTrue" for column in floats], dtype=bool)
    parts = [_constant(np.atleast_1d(np.array(bias, dtype=np.float64)))]
    for levels, values in _by_depth(model["oblivious_trees"]):
        feature, border = (np.array([[level[key] for level in tree] for tree in levels]).reshape(len(levels), -1)
                           for key in ("float_feature_index", "border"))  # fmt: skip
        for output, own in enumerate(np.moveaxis(scale * values, 2, 0)):
            whole = Oblivious(feature.astype(np.int64), border.astype(np.float32), own)
            step = max(1, AT_ONCE // 3**whole.depth)
            parts += [smallest(whole.take(slice(start, start + step)), nan_right, output)
                      for start in range(0, len(levels), step)]  # fmt: skip
    return Trees.joined(parts)


def _by_depth(trees: list[dict[str, Any]]) -> Iterator[tuple[list[list[dict[str, Any]]], np.ndarray]]:
    """The levels of the trees of each depth, and their leaves: [trees, 2^depth, outputs]."""
    by_depth = defaultdict(list)
    for tree in trees:
        levels = tree["splits"] or []
        if any(split["split_type"] != "FloatFeature" for split in levels):
            raise ValueError(f"expected splits of numbers, got {[split['split_type'] for split in levels]}")
        by_depth[len(levels)].append((levels, tree["leaf_values"]))
    for depth, same in by_depth.items():
        values = np.array([tree[1] for tree in same], dtype=np.float64)
        yield [tree[0] for tree in same], values.reshape(len(same), 2**depth, -1)


def _constant(values: np.ndarray) -> Trees:
    """One tree a value, of one leaf: what is added to each output whatever the row."""
    none, ids = np.zeros(0, np.int64), np.arange(len(values))
    return Trees(none, np.zeros(0, np.float32), none, none, np.zeros(0, bool), ~ids, values, ids)


def smallest(trees: Oblivious, nan_right: np.ndarray, output: int) -> Trees:
    """Decision trees with the fewest splits; `nan_right` says of each column where a missing value goes."""
    agree, value = _agreement(trees)
    return _written(trees, _best_levels(agree, trees.depth), agree, value, nan_right, output)


def _agreement(trees: Oblivious) -> tuple[np.ndarray, np.ndarray]:
    """Whether all leaves of a cell that a row can reach hold the same, and what they hold: [3^depth, trees] each."""
    reached, count = _reached(trees).T, len(trees.values)
    least = np.where(reached, trees.values.T, np.inf)
    most = np.where(reached, trees.values.T, -np.inf)
    for level in range(trees.depth):  # digit by digit from the lowest: [higher, this one, lower, trees]
        low, high = (cells.reshape(-1, 2, 3**level, count) for cells in (least, most))
        least = np.concatenate([low, low.min(axis=1, keepdims=True)], axis=1).reshape(-1, count)
        most = np.concatenate([high, high.max(axis=1, keepdims=True)], axis=1).reshape(-1, count)
    return most <= least, least


def _reached(trees: Oblivious) -> np.ndarray:
    """Leaves that a row can reach, [trees, 2^depth]: none is above one border of a column and not above a lower one."""
    place = np.arange(2**trees.depth)
    reached = np.ones(trees.values.shape, dtype=bool)
    for above in range(trees.depth):
        for below in range(trees.depth):
            never = (trees.feature[:, above] == trees.feature[:, below]) & (
                trees.border[:, above] >= trees.border[:, below]
            )
            reached &= ~(never[:, None] & (place >> above & 1 == 1) & (place >> below & 1 == 0))
    return reached


def _best_levels(agree: np.ndarray, depth: int) -> np.ndarray:
    """The level that each cell is best split by: [3^depth, trees]; what those say that agree means nothing."""
    cells = np.arange(3**depth)
    digits = cells[:, None] // 3 ** np.arange(depth) % 3
    splits, best = np.zeros(agree.shape, np.int32), np.zeros(agree.shape, np.int8)
    for cell in cells[np.argsort((digits == OPEN).sum(axis=1), kind="stable")]:
        levels = np.flatnonzero(digits[cell] == OPEN)
        if len(levels):
            costs = splits[cell - 2 * 3**levels] + splits[cell - 3**levels]
            best[cell] = levels[costs.argmin(axis=0)]
            splits[cell] = np.where(agree[cell], 0, 1 + costs.min(axis=0))
    return best


def _written(trees: Oblivious, best: np.ndarray, agree: np.ndarray, value: np.ndarray, nan_right: np.ndarray,
             output: int) -> Trees:  # fmt: skip
    """Depth by depth, all trees together."""
    ends = agree[-1]  # the cell of a whole tree is the last one: every level is open
    roots = _children(ends, 0, 0)
    leaves, parts, splits = [value[-1][ends]], [], 0
    tree = np.flatnonzero(~ends)
    cell = np.full(len(tree), len(agree) - 1)
    while len(tree):
        level = best[cell, tree].astype(np.int64)
        low, high = cell - 2 * 3**level, cell - 3**level
        tree, cell = np.r_[tree, tree], np.r_[low, high]
        ends = agree[cell, tree]
        splits += len(level)
        child = _children(ends, splits, sum(map(len, leaves)))
        own = tree[: len(level)]
        parts.append((trees.feature[own, level], trees.border[own, level], child[: len(level)], child[len(level) :]))
        leaves.append(value[cell, tree][ends])
        tree, cell = tree[~ends], cell[~ends]
    none = np.zeros(0, np.int64)
    feature, border, left, right = (
        np.concatenate(column) for column in zip((none, none, none, none), *parts, strict=True)
    )
    held = np.concatenate(leaves)
    return Trees(feature, border.astype(np.float32), left, right, ~nan_right[feature], roots, held,
                 np.full(len(held), output))  # fmt: skip


def _children(ends: np.ndarray, splits: int, leaves: int) -> np.ndarray:
    """Places of nodes as children have them: a leaf where a node `ends`, a split elsewhere, counted on from those."""
    return np.where(ends, ~(leaves + np.cumsum(ends) - 1), splits + np.cumsum(~ends) - 1)
