"""Families whose fits depend on the seed are fitted again under another one; both bags then answer as one.

The mean of bags that differ by chance alone errs less than either (Breiman, "Bagging Predictors", 1996). Nothing is
chosen by it, so it cannot be fitted to the out-of-fold answers as settings can.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from training_container.models.family import Fitted
from training_container.models.predictor import mix

if TYPE_CHECKING:
    from training_container.budget import Budget
    from training_container.models.family import Family, Problem
    from training_container.progress import Progress


def refit(problem: Problem, family: Family, first: Fitted, budget: Budget, progress: Progress) -> Fitted:
    """The mean of `first` and of a fit of the same family under the next seed.

    Returns `first` itself where the second fit was cut by the budget and the mean is not better.
    """
    other = problem.reseeded()
    torch.manual_seed(other.seed)
    second = renamed(family, f"{family.name}-{other.seed}").fit(other, budget, progress)
    both = averaged(problem, [first, second], [problem.seed, other.seed])
    cut = not budget.left
    return first if cut and problem.better(first.validation, both.validation) else both


def averaged(problem: Problem, fits: list[Fitted], seeds: list[int]) -> Fitted:
    """Several fits of one family as one, with the settings and curves of the first."""
    predictor = mix([fitted.predictor for fitted in fits], [1 / len(fits)] * len(fits))
    answers: np.ndarray = np.stack([fitted.answers for fitted in fits]).mean(axis=0, dtype=np.float32)
    return Fitted(predictor, answers, problem.score(answers), {**fits[0].settings, "seeds": seeds}, fits[0].curves)


def renamed(family: Family, name: str) -> Family:
    """The family under another name, by which its checkpoints and its forest are known."""
    return cast("Family", replace(cast("Any", family), name=name))
