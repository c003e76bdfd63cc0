"""Trees as flat arrays, read from what LightGBM saves.

A split sends a row to its left child when `value <= threshold`, in float32: LightGBM's thresholds are float64 and are
floored, which changes no decision about a float32 value. Children below 0 are leaves, `~child` their place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

CATEGORICAL, DEFAULT_LEFT, NAN_IS_MISSING = 1, 2, 8
"""Bits of LightGBM's `decision_type`; where NaN is not its missing value, it is read as 0."""


@dataclass(frozen=True)
class Trees:
    """Splits and leaves of any number of trees; what a leaf holds is added to one output."""

    feature: np.ndarray
    """int64 [splits]."""
    threshold: np.ndarray
    """float32 [splits]."""
    left: np.ndarray
    right: np.ndarray
    nan_left: np.ndarray
    """bool [splits]: where a missing value goes."""
    roots: np.ndarray
    """int64 [trees], splits or leaves as children are."""
    value: np.ndarray
    """float64 [leaves]."""
    output: np.ndarray
    """int64 [leaves]."""

    @classmethod
    def joined(cls, parts: Iterable[Trees]) -> Trees:
        """All trees of several, the places shifted."""
        moved, splits, leaves = [], 0, 0
        for part in parts:
            left, right, roots = (_shifted(child, splits, leaves) for child in (part.left, part.right, part.roots))
            moved.append((part.feature, part.threshold, left, right, part.nan_left, roots, part.value, part.output))
            splits, leaves = splits + len(part.feature), leaves + len(part.value)
        return cls(*(np.concatenate(column) for column in zip(*moved, strict=True)))


def _shifted(child: np.ndarray, splits: int, leaves: int) -> np.ndarray:
    return np.where(child >= 0, child + splits, child - leaves)


def floored(thresholds: np.ndarray) -> np.ndarray:
    """The largest float32 at or below each float64."""
    near = thresholds.astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near)


def of_lightgbm(text: str, outputs: int) -> Trees:
    """The trees in LightGBM's model text; tree number i adds to output i mod `outputs`.

    Raises:
        ValueError: a categorical or linear tree, which this project does not grow.
    """
    blocks = [_fields(block) for block in text.split("\nTree=")[1:]]
    return Trees.joined(_of_block(block, number % outputs) for number, block in enumerate(blocks))


def _of_block(block: dict[str, str], output: int) -> Trees:
    value = _numbers(block["leaf_value"], np.float64)
    ids = np.full(len(value), output)
    if len(value) == 1:
        none = np.zeros(0, np.int64)
        return Trees(none, np.zeros(0, np.float32), none, none, np.zeros(0, bool), np.array([~0]), value, ids)
    kind, threshold = _numbers(block["decision_type"], np.int64), _numbers(block["threshold"], np.float64)
    if (kind & CATEGORICAL).any() or block.get("is_linear", "0") != "0":
        raise ValueError("expected trees of numerical splits and constant leaves, got a categorical or linear one")
    nan_left = np.where(kind & NAN_IS_MISSING, (kind & DEFAULT_LEFT) > 0, threshold >= 0)
    left, right = (_numbers(block[f"{side}_child"], np.int64) for side in ("left", "right"))
    feature = _numbers(block["split_feature"], np.int64)
    return Trees(feature, floored(threshold), left, right, nan_left, np.array([0]), value, ids)


def _fields(block: str) -> dict[str, str]:
    lines = block.split("\n\n", 1)[0].splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _numbers(text: str, dtype: type) -> np.ndarray:
    return np.array(text.split(), dtype=np.float64).astype(dtype)
