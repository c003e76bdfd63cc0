"""Feature screening: a short boosting of a fold's training rows tells which columns matter and what they leave."""

from __future__ import annotations

from typing import NamedTuple

import lightgbm
import numpy as np

TOP_COLUMNS = 5
"""Columns that are combined in pairs: 10 pairs."""

SCREENED_ROWS = 20_000
"""Rows of a fold at most: the first ones, which are as good as any."""

SCREENED_OUTPUTS = 8
"""Target columns at most, the most frequent of many classes: one boosting each."""

SCREENING_ROUNDS = 40
SCREENING_SETTINGS = {"objective": "regression", "num_leaves": 15, "learning_rate": 0.2, "verbosity": -1,
            "deterministic": True, "force_row_wise": True, "num_threads": 1}  # fmt: skip


class Screening(NamedTuple):
    """The result of screening the first rows of a fold."""

    top: np.ndarray
    """int64 [≤ TOP_COLUMNS]: the places of the columns that gained most, best first."""
    left: np.ndarray
    """float64 [≤ SCREENED_ROWS, ≤ SCREENED_OUTPUTS]: the target less the boosting's answer."""


def screen(dense: np.ndarray, wanted: np.ndarray, rows: np.ndarray, columns: np.ndarray, seed: int) -> Screening:
    """Screens these rows and columns of `dense` float32 [N, columns] for targets float64 [N, outputs]."""
    dense, wanted = dense[np.ix_(rows[:SCREENED_ROWS], columns)], wanted[rows[:SCREENED_ROWS]]
    wanted = wanted[:, np.argsort(-wanted.var(axis=0), kind="stable")[:SCREENED_OUTPUTS]]
    gains, left = np.zeros(dense.shape[1]), np.empty_like(wanted)
    for number, column in enumerate(wanted.T):
        model = lightgbm.train({**SCREENING_SETTINGS, "seed": seed}, lightgbm.Dataset(dense, column), SCREENING_ROUNDS)
        gains += model.feature_importance("gain")
        left[:, number] = column - model.predict(dense, num_threads=1)
    return Screening(np.argsort(-gains, kind="stable")[: min(TOP_COLUMNS, dense.shape[1])], left)
