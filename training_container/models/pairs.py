"""Sums and differences of pairs of columns, so that trees can split along them: axes need many splits for a slope.

Which columns: those that a short boosting on the fold's own training rows gains most by, ranks of categories among
them. Each is divided by its standard deviation there, so that a pair means "both, alike much"; a pair with a missing
value is missing.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import lightgbm
import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from training_container.models.family import Problem

TOP = 5
"""Columns that are paired: 10 pairs, 20 columns."""

ROUNDS = 40


class Pairs(nn.Module):
    """float32 [N, numbers and ranks] to [N, folds · pairs]; products and sums alone, which all runtimes round alike."""

    first: torch.Tensor
    second: torch.Tensor
    left: torch.Tensor
    right: torch.Tensor

    def __init__(self, problem: Problem, dense: np.ndarray, wanted: np.ndarray, columns: list[np.ndarray]) -> None:
        """`dense` float32 [N, numbers and ranks], of which each fold reads its own `columns`."""
        super().__init__()
        made = [
            _pairs(dense[np.ix_(rows, own)], wanted[rows], own, problem.seed)
            for (rows, _), own in zip(problem.folds, columns, strict=True)
        ]
        found = [np.concatenate([each[at] for each in made]) for at in range(4)]
        self.width = len(found[0]) // len(made)
        for name, values in zip(("first", "second", "left", "right"), found, strict=True):
            self.register_buffer(name, torch.from_numpy(values))

    def forward(self, dense: torch.Tensor) -> torch.Tensor:
        """All folds' pairs, fold after fold."""
        return dense[:, self.first] * self.left + dense[:, self.second] * self.right


def _pairs(dense: np.ndarray, wanted: np.ndarray, own: np.ndarray, seed: int) -> tuple[np.ndarray, ...]:
    """Places of both columns, among all of which `dense` are those called `own`, and their factors."""
    gains = np.sum([_gains(dense, column, seed) for column in wanted.reshape(len(wanted), -1).T], axis=0)
    top = np.argsort(-gains, kind="stable")[: min(TOP, dense.shape[1])]
    with np.errstate(all="ignore"):
        spread = np.nanstd(dense[:, top].astype(np.float64), axis=0)
    factor = (1 / np.where(np.isfinite(spread) & (spread > 0), spread, 1.0)).astype(np.float32)
    places = np.array(list(combinations(range(len(top)), 2)), dtype=np.int64).reshape(-1, 2)
    first, second = (np.tile(own[top][places[:, at]], 2).astype(np.int64) for at in (0, 1))
    left, right = (np.tile(factor[places[:, at]], 2) for at in (0, 1))
    right[len(places) :] *= -1
    return first, second, left, right


def _gains(dense: np.ndarray, wanted: np.ndarray, seed: int) -> np.ndarray:
    settings = {"objective": "regression", "num_leaves": 15, "learning_rate": 0.2, "verbosity": -1, "seed": seed,
                "deterministic": True, "force_row_wise": True, "num_threads": 1}  # fmt: skip
    model = lightgbm.train(settings, lightgbm.Dataset(dense, wanted), ROUNDS)
    return np.asarray(model.feature_importance("gain"))
