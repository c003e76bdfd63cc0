"""Whether a target that leans far right is fitted plain or by its logarithm: decided once, by a short boosting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lightgbm
import numpy as np
import torch

from training_container.models.predictor import RegressionTail, target_scales
from training_container.threads import in_parallel

if TYPE_CHECKING:
    from training_container.models.family import Problem
    from training_container.models.predictor import TargetScale

ROUNDS, ROWS = 120, 10_000
"""Of the boosting; of more rows than these it is told the first, which are as good as any."""

SETTINGS = {"objective": "regression", "num_leaves": 31, "learning_rate": 0.1, "feature_fraction": 0.6,
            "deterministic": True, "force_row_wise": True, "verbosity": -1}  # fmt: skip


def choose_scale(problem: Problem) -> TargetScale:
    """Of the scales worth trying the one whose boosting has the better out-of-fold score, the plain one of equals."""
    scales = target_scales(problem.target)
    if len(scales) == 1:
        return scales[0]
    few = np.arange(min(ROWS, len(problem.target)))
    dense = problem.tree_inputs.dense(problem.rows.take(slice(len(few))))
    plain, log = (problem.score(_answers(problem, dense, scale), few) for scale in scales)
    return scales[1] if problem.better(log, plain) else scales[0]


def _answers(problem: Problem, dense: np.ndarray, scale: TargetScale) -> np.ndarray:
    """Out-of-fold, of the first rows, those of `dense`."""
    count = len(dense)
    answers, target = problem.empty()[:count], scale.encode(problem.target[:count])
    settings = {**SETTINGS, "seed": problem.seed, "num_threads": 1}

    def answer(fold: int) -> None:
        own = dense[:, problem.tree_inputs.given(fold)]
        learn, held = (rows[rows < count] for rows in problem.folds[fold])
        model = lightgbm.train(settings, lightgbm.Dataset(own[learn], target[learn]), ROUNDS)
        fitted = torch.from_numpy(np.asarray(model.predict(own[held], num_threads=1), dtype=np.float32))
        answers[held] = RegressionTail(scale)(fitted).numpy()

    in_parallel(answer, range(len(problem.folds)))
    return answers
