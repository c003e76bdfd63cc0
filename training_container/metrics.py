"""Scores of predictions, in numpy alone: every metric of `contract.results.METRICS` by its name there.

Predictions are `[N]` float for regression and `[N, classes]` probabilities otherwise; the truth is `[N]`, values or
class codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dropforge.contract.results import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropforge.contract.schema import Task

    Array = np.ndarray
    Metric = Callable[[Array, Array], float]


def scores(task: Task, truth: Array, predicted: Array) -> dict[str, float]:
    """Every metric of `task` by name.

    Raises:
        ValueError: no row to score, or predictions that are not finite.
    """
    if len(truth) == 0:
        raise ValueError(f"scores of {task}: expected at least 1 row, got 0")
    if not np.isfinite(predicted).all():
        raise ValueError(
            f"scores of {task}: expected finite predictions, got {int((~np.isfinite(predicted)).sum())} others"
        )
    return {name: _METRICS[task][name](truth, predicted) for name in METRICS[task]}


def score(task: Task, metric: str, truth: Array, predicted: Array) -> float:
    """One metric alone."""
    return _METRICS[task][metric](truth, predicted)


def better(direction: str, one: float, other: float) -> bool:
    """Whether `one` is strictly better than `other`; a score that is not a number is never better."""
    if np.isnan(one):
        return False
    return bool(np.isnan(other) or (one > other if direction == "higher" else one < other))


def rmse(truth: Array, predicted: Array) -> float:
    """Root of the mean squared error, in the target's unit."""
    return float(np.sqrt(np.mean((truth - predicted) ** 2)))


def mae(truth: Array, predicted: Array) -> float:
    """Mean absolute error, in the target's unit."""
    return float(np.mean(np.abs(truth - predicted)))


def r2(truth: Array, predicted: Array) -> float:
    """Share of the variance that is explained; a constant truth gives 1 when met exactly and 0 otherwise."""
    residual = float(np.sum((truth - predicted) ** 2))
    total = float(np.sum((truth - truth.mean()) ** 2))
    if total == 0:
        return 1.0 if residual == 0 else 0.0
    return 1 - residual / total


def ranks(values: Array) -> Array:
    """Ranks from 1, equal values sharing their mean rank."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    ends = np.r_[starts[1:], len(ordered)]
    found = np.empty(len(values))
    found[order] = np.repeat((starts + 1 + ends) / 2, ends - starts)
    return found


def auc(truth: Array, probabilities: Array) -> float:
    """Area under the ROC curve of the positive (second) class, from ranks; NaN when one class is missing."""
    positive = truth == 1
    many, few = int(positive.sum()), int((~positive).sum())
    if many == 0 or few == 0:
        return float("nan")
    return float((ranks(probabilities[:, 1])[positive].sum() - many * (many + 1) / 2) / (many * few))


def logloss(truth: Array, probabilities: Array) -> float:
    """Mean negative log-likelihood of the true class, each probability kept off 0 and 1 by the float64 epsilon."""
    eps = np.finfo(np.float64).eps
    shares = probabilities / probabilities.sum(axis=1, keepdims=True)
    return float(-np.mean(np.log(np.clip(shares[np.arange(len(truth)), truth], eps, 1 - eps))))


def accuracy(truth: Array, probabilities: Array) -> float:
    """Share of rows whose most likely class is the true one."""
    return float(np.mean(probabilities.argmax(axis=1) == truth))


def f1(truth: Array, probabilities: Array) -> float:
    """F1 of the positive class for two classes, else the plain mean of every seen class's F1."""
    guessed = probabilities.argmax(axis=1)
    if probabilities.shape[1] == 2:
        return _f1_of(truth == 1, guessed == 1)
    seen = np.union1d(truth, guessed)
    return float(np.mean([_f1_of(truth == each, guessed == each) for each in seen]))


def _f1_of(truth: Array, guessed: Array) -> float:
    together = int(truth.sum()) + int(guessed.sum())
    return 2 * int((truth & guessed).sum()) / together if together else 0.0


_METRICS: dict[str, dict[str, Metric]] = {
    "regression": {"rmse": rmse, "mae": mae, "r2": r2},
    "binary": {"auc": auc, "logloss": logloss, "accuracy": accuracy, "f1": f1},
    "multiclass": {"logloss": logloss, "accuracy": accuracy, "f1": f1},
}
