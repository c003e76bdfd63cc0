"""The metrics of regression and classification by their names in `contract.results.METRICS`, as scikit-learn has them.

Predictions are [N] values for regression and [N, classes] probabilities otherwise; the truth is [N], values or class
codes. The edge cases, each held to scikit-learn by a test:

| case | score |
|---|---|
| R² of a constant truth | 1 where it is met exactly, 0 otherwise |
| AUC where the rows hold one class alone | NaN: it does not exist |
| macro F1 | the mean over the classes that occur or are predicted; a class that does neither does not count |
| F1 of a positive class that neither occurs nor is predicted | 0 |
| log loss of a probability of 0 | that of the float64 epsilon, 36.04 |
| log loss of probabilities that do not sum to 1 | of the true class's probability as it is, not rescaled |
| two classes of equal probability | the first is the prediction |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dropforge.contract.results import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropforge.contract.tasks import ByTask, Task

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


def known(scores: dict[str, float]) -> dict[str, float]:
    """The scores that exist: the AUC of one class does not, and JSON has no NaN."""
    return {name: value for name, value in scores.items() if not np.isnan(value)}


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
    ranked = np.empty(len(values))
    ranked[order] = np.repeat((starts + 1 + ends) / 2, ends - starts)
    return ranked


def auc(truth: Array, probabilities: Array) -> float:
    """Area under the ROC curve of the positive (second) class, from ranks; NaN when one class is missing."""
    positive = truth == 1
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if positives == 0 or negatives == 0:
        return float("nan")
    lowest = positives * (positives + 1) / 2
    return float((ranks(probabilities[:, 1])[positive].sum() - lowest) / (positives * negatives))


def surprise(truth: Array, probabilities: Array) -> Array:
    """Each row's negative log-likelihood, probabilities kept off 0 and 1 by the float64 epsilon; [N]."""
    epsilon = np.finfo(np.float64).eps
    own = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    return np.asarray(-np.log(np.clip(own, epsilon, 1 - epsilon)))


def logloss(truth: Array, probabilities: Array) -> float:
    """Mean negative log-likelihood of the true class, natural logarithm."""
    return float(surprise(truth, probabilities).mean())


def accuracy(truth: Array, probabilities: Array) -> float:
    """Share of rows whose most likely class is the true one."""
    return float(np.mean(probabilities.argmax(axis=1) == truth))


def f1(truth: Array, probabilities: Array) -> float:
    """F1 of the positive class for two classes, else the plain mean over the classes that occur or are predicted."""
    predicted = probabilities.argmax(axis=1)
    if probabilities.shape[1] == 2:
        return _f1_of(truth == 1, predicted == 1)
    classes = np.union1d(truth, predicted)
    return float(np.mean([_f1_of(truth == code, predicted == code) for code in classes]))


def _f1_of(truth: Array, predicted: Array) -> float:
    total = int(truth.sum()) + int(predicted.sum())
    return 2 * int((truth & predicted).sum()) / total if total else 0.0


_METRICS: ByTask[dict[str, Metric]] = {
    "regression": {"rmse": rmse, "mae": mae, "r2": r2},
    "binary": {"auc": auc, "logloss": logloss, "accuracy": accuracy, "f1": f1},
    "multiclass": {"logloss": logloss, "accuracy": accuracy, "f1": f1},
    "recommendation": {},
    "clustering": {},
}
"""The metrics of a table with a target; `evaluation` scores ratings and clusters, which take more than two arrays."""
