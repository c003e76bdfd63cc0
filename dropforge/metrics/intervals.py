"""Bootstrap intervals of a model's scores, of another's on the same rows, and of the difference between the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dropforge.contract.results import METRICS
from dropforge.contract.scores import Gain, Interval
from dropforge.metrics.resampling import MOST_ROWS, Resamples, interval, sample
from dropforge.metrics.weighted import figures_of

if TYPE_CHECKING:
    from dropforge.contract.tasks import Task
    from dropforge.metrics.weighted import Figures

    Array = np.ndarray
    Scores = dict[str, float]


@dataclass(frozen=True)
class Intervals:
    """By metric name; a score that does not exist (the AUC of one class) has none."""

    model: dict[str, Interval]
    other: dict[str, Interval]
    gains: dict[str, Gain]


def intervals(task: Task, truth: Array, answers: Array, scores: Scores, seed: int) -> dict[str, Interval]:
    """The intervals of `scores`, which `answers` have on all of these rows."""
    rows = sample(len(truth), MOST_ROWS, seed)
    shrink = float(np.sqrt(len(rows) / len(truth)))
    drawn, left = _draw(Resamples(len(rows), seed), figures_of(task, truth[rows], answers[rows]), shrink)
    return _known(drawn, left, scores, shrink)


def compared(
    task: Task, draws: Resamples, figures: tuple[Figures, Figures], scores: tuple[Scores, Scores], shrink: float = 1.0
) -> Intervals:
    """The intervals of two models' scores and of their difference, each replicate drawing the same rows for both.

    Args:
        task: whose metrics they are.
        draws: of rows, or of whatever the figures give a weight.
        figures: of the model and of the other: weights float32 [B, N] to each metric [B].
        scores: of the model and of the other: the metrics over all rows.
        shrink: as `resampling.interval` takes it.
    """
    ours, theirs = scores
    model, model_left = _draw(draws, figures[0], shrink)
    other, other_left = _draw(draws, figures[1], shrink)
    gains = {}
    for name in ours:
        if name not in theirs:
            continue
        sign = 1.0 if METRICS[task][name] == "higher" else -1.0
        value = sign * (ours[name] - theirs[name])
        left = sign * (model_left[name] - other_left[name]) if model_left else None
        difference = interval(sign * (model[name] - other[name]), value, left, shrink)
        if difference is not None:
            gains[name] = Gain(value, difference)
    return Intervals(_known(model, model_left, ours, shrink), _known(other, other_left, theirs, shrink), gains)


def _draw(draws: Resamples, figures: Figures, shrink: float) -> tuple[dict[str, Array], dict[str, Array]]:
    """The figures of every resample, and with each group of rows left out where that is asked for: of all rows."""
    return draws.collect(figures), figures(draws.jackknife()) if shrink == 1 else {}


def _known(drawn: dict[str, Array], left: dict[str, Array], scores: Scores, shrink: float) -> dict[str, Interval]:
    bounds = {name: interval(drawn[name], value, left.get(name), shrink) for name, value in scores.items()}
    return {name: bound for name, bound in bounds.items() if bound is not None}
