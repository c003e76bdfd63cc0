"""Every metric of `contract.results.METRICS` over many weightings of the same rows at once, for the bootstrap.

A figure takes weights float32 [B, N] (how often each row was drawn) and gives [B]; with weights of 1 it is the metric
of `dropforge.metrics.scores`. What does not depend on the weights is computed once, when the figure is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import numpy as np

from dropforge.contract.tasks import TASKS
from dropforge.metrics.scores import surprise

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropforge.contract.tasks import Task

    Array = np.ndarray
    Figures = Callable[[Array], dict[str, Array]]


def figures_of(task: Task, truth: Array, answers: Array, only: str | None = None) -> Figures:
    """The metrics of the task for these rows: values [N], or class codes [N] and probabilities [N, classes].

    `only` names the one metric that is wanted, which spares the others' time.
    """
    match task:
        case "regression":
            return _regression(truth, answers)
        case "binary" | "multiclass":
            return _classification(task, truth, answers, only)
        case "recommendation" | "clustering":
            raise ValueError(f"figures of {task}: expected a table with a target; `evaluation` has this task's own")
        case _:
            assert_never(task)


def _classification(task: Task, truth: Array, answers: Array, only: str | None) -> Figures:
    means = _means({"logloss": surprise(truth, answers), "accuracy": (answers.argmax(axis=1) == truth) * 1.0})
    slow = {"f1": _f1(truth, answers)} | ({"auc": _auc(truth, answers)} if "auc" in TASKS[task].metrics else {})
    if only in slow:
        return slow[only]
    if only is not None:
        return means
    return lambda weights: {**means(weights), **{k: v for each in slow.values() for k, v in each(weights).items()}}


def _means(rows: dict[str, Array]) -> Figures:
    """Weighted means of one value a row each."""
    table = np.stack(list(rows.values()), axis=1)

    def figures(weights: Array) -> dict[str, Array]:
        found = dot(weights, table) / weights.sum(axis=1, dtype=np.float64)[:, None]
        return {name: found[:, at] for at, name in enumerate(rows)}

    return figures


def dot(weights: Array, table: Array) -> Array:
    """[B, N] times [N, K] in float32, scaled so that no value overflows it; float64 [B, K]."""
    scale = np.abs(table).max(axis=0)
    scale = np.where((scale > 0) & np.isfinite(scale), scale, 1.0)
    return (weights @ (table / scale).astype(np.float32)).astype(np.float64) * scale


def _regression(truth: Array, answers: Array) -> Figures:
    apart, centred = truth - answers, truth - truth.mean()
    means = _means({"square": apart**2, "mae": np.abs(apart), "one": centred, "two": centred**2})

    def figures(weights: Array) -> dict[str, Array]:
        found = means(weights)
        spread = found["two"] - found["one"] ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            r2 = np.where(spread > 0, 1 - found["square"] / spread, (found["square"] == 0) * 1.0)
        return {"rmse": np.sqrt(found["square"]), "mae": found["mae"], "r2": r2}

    return figures


def _auc(truth: Array, answers: Array) -> Figures:
    """By ranks: the negatives below each group of equal answers, and half of those within it."""
    order = np.argsort(answers[:, 1], kind="stable")
    ordered = answers[order, 1]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    positive = (truth[order] == 1).astype(np.float32)

    def figures(weights: Array) -> dict[str, Array]:
        drawn = weights[:, order]
        hits = drawn * positive
        ups = np.add.reduceat(hits, starts, axis=1)
        downs = np.add.reduceat(drawn - hits, starts, axis=1)
        below = np.cumsum(downs, axis=1) - downs / 2  # counts and halves below 2^24: exact in float32
        up, down = ups.sum(axis=1, dtype=np.float64), downs.sum(axis=1, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            return {"auc": np.einsum("bn,bn->b", ups, below, dtype=np.float64, casting="safe") / (up * down)}

    return figures


def _f1(truth: Array, answers: Array) -> Figures:
    classes, guessed = answers.shape[1], answers.argmax(axis=1)
    right = np.flatnonzero(truth == guessed)

    def figures(weights: Array) -> dict[str, Array]:
        found = np.empty(len(weights))
        for at, drawn in enumerate(weights):
            both = np.bincount(truth, drawn, classes) + np.bincount(guessed, drawn, classes)
            hits = np.bincount(truth[right], drawn[right], classes)
            seen = both > 0
            every = 2 * hits[seen] / both[seen]
            found[at] = (2 * hits[1] / both[1] if seen[1] else 0.0) if classes == 2 else every.mean()
        return {"f1": found}

    return figures
