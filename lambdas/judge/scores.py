"""Scores by the names of `contract.results.METRICS`, in numpy, for answers of the serving runtime.

`truth` is [N], values or class codes; `predicted` is [N] values for regression, [N, classes] probabilities otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dropforge.contract.schema import Task

SMALLEST = float(np.finfo(np.float64).eps)
"""Probabilities are clipped to this before a logarithm, as scikit-learn does."""


def scores(task: Task, truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Every metric of the task."""
    if task == "regression":
        return regression(truth, predicted)
    found = classification(truth, predicted)
    if task == "binary":
        return {"auc": auc(truth == 1, predicted[:, 1]), **found}
    return found


def regression(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """rmse and mae in the target's unit, r2 (0 for a constant truth)."""
    errors = truth - predicted
    spread = float(np.sum((truth - truth.mean()) ** 2))
    return {
        "rmse": float(np.sqrt(np.mean(errors**2))),
        "mae": float(np.mean(np.abs(errors))),
        "r2": 1.0 - float(np.sum(errors**2)) / spread if spread else 0.0,
    }


def classification(truth: np.ndarray, shares: np.ndarray) -> dict[str, float]:
    """logloss (natural logarithm), accuracy, and f1: of the second class for two classes, macro-averaged for more."""
    given = shares.argmax(axis=1)
    own = np.clip(shares[np.arange(len(truth)), truth], SMALLEST, 1.0)
    each = [f1(truth == code, given == code) for code in range(shares.shape[1])]
    return {
        "logloss": float(-np.mean(np.log(own))),
        "accuracy": float(np.mean(given == truth)),
        "f1": each[1] if len(each) == 2 else float(np.mean(each)),
    }


def f1(truth: np.ndarray, given: np.ndarray) -> float:
    """Harmonic mean of precision and recall of one class, 0 when it is neither there nor given."""
    total = int(truth.sum() + given.sum())
    return 2.0 * int((truth & given).sum()) / total if total else 0.0


def auc(positive: np.ndarray, share: np.ndarray) -> float:
    """Area under the ROC curve by ranks, ties halved (Mann-Whitney U); 0.5 when one class is absent."""
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return 0.5
    _, places, counts = np.unique(share, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))
