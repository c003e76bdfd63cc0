"""Decides by a short boosting whether a target that is skewed to the right is fitted plain or by its logarithm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lightgbm
import numpy as np
import torch

from training_container.models.scales import RegressionTail
from training_container.threads import in_parallel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training_container.models.data import TrainingData
    from training_container.models.forest import TreeInputs
    from training_container.models.scales import TargetScale

BOOSTING_ROUNDS = 120
BOOSTING_ROWS = 10_000
"""Rows that the boosting learns from at most: the first ones, which are as good as any."""

BOOSTING_SETTINGS = {"objective": "regression", "num_leaves": 31, "learning_rate": 0.1, "feature_fraction": 0.6,
            "deterministic": True, "force_row_wise": True, "verbosity": -1}  # fmt: skip


def choose_scale(data: TrainingData, inputs: TreeInputs, scales: Sequence[TargetScale]) -> TargetScale:
    """Of a plain and a logarithmic scale the one whose boosting has the better out-of-fold score; plain when equal."""
    few = np.arange(min(BOOSTING_ROWS, len(data.target)))
    dense = inputs.dense(data.rows.take(slice(len(few))))
    plain, log = (data.score(_answers(data, inputs, dense, scale), few) for scale in scales)
    return scales[1] if data.better(log, plain) else scales[0]


def _answers(data: TrainingData, inputs: TreeInputs, dense: np.ndarray, scale: TargetScale) -> np.ndarray:
    """Out-of-fold, of the first rows, those of `dense`."""
    count = len(dense)
    answers, target = data.empty()[:count], scale.encode(data.target[:count])
    settings = {**BOOSTING_SETTINGS, "seed": data.seed, "num_threads": 1}

    def answer(fold: int) -> None:
        own = dense[:, inputs.given(fold)]
        learn, held = (rows[rows < count] for rows in data.folds[fold])
        model = lightgbm.train(settings, lightgbm.Dataset(own[learn], target[learn]), BOOSTING_ROUNDS)
        fitted = torch.from_numpy(np.asarray(model.predict(own[held], num_threads=1), dtype=np.float32))
        answers[held] = RegressionTail(scale)(fitted).numpy()

    in_parallel(answer, range(len(data.folds)))
    return answers
