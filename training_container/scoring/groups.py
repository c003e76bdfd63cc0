"""Scores by group, and the fairness figures that compare groups.

Groups with fewer than `FEWEST_GROUP_ROWS` hold-out rows, and all beyond the `MOST_GROUPS` largest, are scored together
as `other`. The groups of a masked column are numbered by size instead of named, since its values are not to be shown.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, assert_never

import numpy as np

from dropforge.contract.scores import GroupedBy, GroupScore
from dropforge.contract.tasks import TASKS
from dropforge.metrics import scores as metrics
from dropforge.metrics.intervals import intervals
from dropforge.metrics.resampling import Resamples, interval, wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dropforge.contract.tasks import Task
    from dropforge.datasets.dataset import Groups

    Array = np.ndarray

FEWEST_GROUP_ROWS = 30
"""Hold-out rows of a group that is scored by its own name, and of one that fairness is computed over."""

FEWEST_CLASS_ROWS = 10
"""Hold-out rows of a class, and of the others, in a group that equalised odds are computed over."""

MOST_GROUPS = 20
MOST_CLASSES = 20
"""Classes, the most frequent, that are compared each against the rest."""

OTHER_GROUP, MISSING_GROUP = "other", "missing"


def score_groups(
    task: Task, truth: Array, answers: Array, column: str, groups: Groups, *, masked: bool, seed: int
) -> GroupedBy:
    """Every group of one column: `truth` [N], `answers` [N] or [N, classes], groups of N rows."""
    merged, order = _merged(groups, masked)
    scored = tuple(
        _score(task, truth[merged == name], answers[merged == name], name, seed) for name in _ordered(merged, order)
    )
    large = [group.name for group in scored if group.rows >= FEWEST_GROUP_ROWS]
    if len(large) < 2:
        return GroupedBy(column, scored)
    rows = np.isin(merged, large)
    compare = _regression_fairness if TASKS[task].classes == "none" else _class_fairness
    return GroupedBy(column, scored, compare(truth[rows], answers[rows], merged[rows]))


def _merged(groups: Groups, masked: bool) -> tuple[Array, Sequence[str]]:
    """The labels that are scored, and these labels from low to high where they have such an order."""
    names, counts = np.unique(groups.labels.astype(str), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    kept = [names[code] for code in order if counts[code] >= FEWEST_GROUP_ROWS or names[code] == MISSING_GROUP][
        :MOST_GROUPS
    ]
    shown, ranked = {name: name for name in kept}, groups.order
    if masked:
        by_size = [name for name in kept if name not in (MISSING_GROUP, OTHER_GROUP)]
        numbered = {name: f"group {number}" for number, name in enumerate(by_size, start=1)}
        shown, ranked = shown | numbered, tuple(numbered.values())
    return np.array([shown.get(str(label), OTHER_GROUP) for label in groups.labels], dtype=object), ranked


def _ordered(merged: Array, order: Sequence[str]) -> list[str]:
    """Bands and years by their numbers, others by size; `other` and `missing` last."""
    names, counts = np.unique(merged.astype(str), return_counts=True)
    size = {str(name): int(count) for name, count in zip(names, counts, strict=True)}
    plain = [name for name in size if name not in (OTHER_GROUP, MISSING_GROUP)]
    places = {name: place for place, name in enumerate(order)}
    if all(name in places for name in plain):
        plain.sort(key=lambda name: places[name])
    else:
        plain.sort(key=lambda name: (-size[name], name))
    return [*plain, *(name for name in (OTHER_GROUP, MISSING_GROUP) if name in size)]


def _score(task: Task, truth: Array, answers: Array, name: str, seed: int) -> GroupScore:
    scores = {key: value for key, value in metrics.scores(task, truth, answers).items() if np.isfinite(value)}
    bounds = intervals(task, truth, answers, scores, seed)
    match task:
        case "multiclass":
            return GroupScore(name, len(truth), scores, bounds)
        case "binary":
            positive = answers.argmax(axis=1) == 1
            share = wilson(int(positive.sum()), len(positive))
            return GroupScore(name, len(truth), scores, bounds, float(positive.mean()), share)
        case "regression":
            resamples = Resamples(len(truth), seed)
            drawn = resamples.collect(lambda weights: {"mean": weights @ answers / weights.sum(axis=1)})
            return GroupScore(name, len(truth), scores, bounds, float(answers.mean()), interval(drawn["mean"]))
        case "recommendation" | "clustering":
            raise ValueError(f"groups of {task}: expected a table with a target")
        case _:
            assert_never(task)


def _regression_fairness(truth: Array, answers: Array, labels: Array) -> dict[str, float]:
    """How far apart the groups' mean errors (predicted minus true) and mean answers are, at most."""
    groups = [labels == name for name in np.unique(labels.astype(str))]
    errors = [float((answers - truth)[rows].mean()) for rows in groups]
    means = [float(answers[rows].mean()) for rows in groups]
    return {"mean_error_difference": max(errors) - min(errors), "mean_answer_difference": max(means) - min(means)}


def _class_fairness(truth: Array, answers: Array, labels: Array) -> dict[str, float]:
    """The figures of the second class of two; of more classes the worst class's, each against the rest."""
    counts = np.bincount(truth, minlength=answers.shape[1])
    classes = [1] if answers.shape[1] == 2 else np.argsort(-counts, kind="stable")[:MOST_CLASSES].tolist()
    guessed = answers.argmax(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of groups in which no row is answered so
        by_class = [_one_class(truth == name, guessed == name, labels.astype(str)) for name in classes]
    worst: dict[str, Callable[..., float]] = {
        "demographic_parity_difference": max, "demographic_parity_ratio": min, "equalized_odds_difference": max
    }  # fmt: skip
    known = {name: [scores[name] for scores in by_class if np.isfinite(scores.get(name, np.nan))] for name in worst}
    return {name: float(worst[name](values)) for name, values in known.items() if values}


def _one_class(truth: Array, guessed: Array, labels: Array) -> dict[str, float]:
    """fairlearn's figures of one class; equalised odds over the groups that have rows enough of either kind."""
    import fairlearn.metrics as fair  # seconds, for those who ask for groups alone

    figures = {
        "demographic_parity_difference": fair.demographic_parity_difference(truth, guessed, sensitive_features=labels),
        "demographic_parity_ratio": fair.demographic_parity_ratio(truth, guessed, sensitive_features=labels),
    }
    able = [name for name in np.unique(labels) if _either(truth[labels == name])]
    if len(able) > 1:
        rows = np.isin(labels, able)
        odds = fair.equalized_odds_difference(truth[rows], guessed[rows], sensitive_features=labels[rows])
        figures["equalized_odds_difference"] = odds
    return figures


def _either(truth: Array) -> bool:
    return FEWEST_CLASS_ROWS <= int(truth.sum()) <= len(truth) - FEWEST_CLASS_ROWS
