"""Sums and differences of pairs of columns, so that trees can split along them: axes need many splits for a slope.

Which columns: those that `glance` gains most by, ranks of categories among them: 10 pairs, 20 columns. Each is divided
by its standard deviation there, so that a pair means "both, alike much"; a pair with a missing value is missing.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training_container.models.screening import Screening


class Pairs(nn.Module):
    """float32 [N, numbers and ranks] to [N, folds · pairs]; products and sums alone, which all runtimes round alike."""

    first: torch.Tensor
    second: torch.Tensor
    left: torch.Tensor
    right: torch.Tensor

    def __init__(self, dense: np.ndarray, folds: Sequence[np.ndarray], glances: Sequence[Screening],
                 columns: Sequence[np.ndarray]) -> None:  # fmt: skip
        """Of `dense` float32 [N, numbers and ranks] the rows that each fold learns from, and its own `columns`."""
        super().__init__()
        folds_pairs = [
            _pairs(dense[np.ix_(rows, own)], own, seen.top)
            for rows, own, seen in zip(folds, columns, glances, strict=True)
        ]
        parts = [np.concatenate([pairs[part] for pairs in folds_pairs]) for part in range(4)]
        self.width = len(parts[0]) // len(folds_pairs)
        for name, values in zip(("first", "second", "left", "right"), parts, strict=True):
            self.register_buffer(name, torch.from_numpy(values))

    def forward(self, dense: torch.Tensor) -> torch.Tensor:
        """All folds' pairs, fold after fold."""
        return dense[:, self.first] * self.left + dense[:, self.second] * self.right


def _pairs(dense: np.ndarray, own: np.ndarray, top: np.ndarray) -> tuple[np.ndarray, ...]:
    """Places of both columns, among all of which `dense` are those called `own`, and their factors."""
    with np.errstate(all="ignore"):
        spread = np.nanstd(dense[:, top].astype(np.float64), axis=0)
    factor = (1 / np.where(np.isfinite(spread) & (spread > 0), spread, 1.0)).astype(np.float32)
    places = np.array(list(combinations(range(len(top)), 2)), dtype=np.int64).reshape(-1, 2)
    first, second = (np.tile(own[top][places[:, side]], 2).astype(np.int64) for side in (0, 1))
    left, right = (np.tile(factor[places[:, side]], 2) for side in (0, 1))
    right[len(places) :] *= -1
    return first, second, left, right
