"""The trivial baseline: for each metric the best answer of whoever knows the training targets and no column.

One constant does not serve every metric: the median has a smaller mean absolute error than the mean, and whoever always
names the most frequent class has an F1 of 0 where the positive class is the rarer one. A model that has learned nothing
could beat a baseline of one constant under such a metric, and look better than a guess.

| metric | answer |
|---|---|
| rmse, r2 | the mean |
| mae | the median |
| auc, logloss, accuracy | the shares of the classes |
| f1 of two classes | always the positive class |
| macro f1 | a class drawn by the shares, row by row: no other guess has a higher expectation, 1 / classes |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import numpy as np

from dropforge.contract.baseline import Baseline
from dropforge.contract.tasks import TASKS

if TYPE_CHECKING:
    from dropforge.contract.tasks import Task

    Array = np.ndarray

SEED = 0
"""Of the drawn classes."""


def learn_baseline(task: Task, target: Array, classes: int) -> Baseline:
    """The baseline of training targets [N]: values, or codes of so many classes."""
    baseline = TASKS[task].baseline
    match baseline:
        case "shares":
            counts = np.bincount(target, minlength=classes)
            return Baseline(task, shares=tuple((counts / counts.sum()).tolist()))
        case "constant" | "popular":
            return Baseline(task, mean=float(target.mean()), median=float(np.median(target)))
        case "dealt":
            return Baseline(task)
        case _:
            assert_never(baseline)


def guess(baseline: Baseline, metric: str, rows: int) -> Array:
    """The baseline's answers under this metric: values [rows], or probabilities [rows, classes]."""
    if not baseline.shares:
        return np.full(rows, baseline.median if metric == "mae" else baseline.mean)
    shares = np.array(baseline.shares)
    if metric != "f1":
        return np.tile(shares, (rows, 1))
    if len(shares) == 2:
        return np.tile([0.0, 1.0], (rows, 1))
    drawn = np.random.default_rng(SEED).choice(len(shares), rows, p=shares / shares.sum())
    return np.asarray(np.eye(len(shares))[drawn])
