"""Intervals of the hold-out's scores, of the trivial baseline's, and of the difference between the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dropforge.contract.results import METRICS
from dropforge.contract.scores import Gain, Interval
from training_container.scoring.resample import MOST_ROWS, Resamples, interval, sample
from training_container.scoring.weighted import figures_of

if TYPE_CHECKING:
    from dropforge.contract.schema import Task
    from training_container.scoring.weighted import Figures

    Array = np.ndarray
    Scores = dict[str, float]


@dataclass(frozen=True)
class Intervals:
    """By metric name; a score that does not exist (the AUC of one class) has none."""

    model: dict[str, Interval]
    baseline: dict[str, Interval]
    gains: dict[str, Gain]


def intervals(task: Task, truth: Array, answers: Array, scores: Scores, seed: int) -> dict[str, Interval]:
    """The intervals of `scores`, which `answers` have on all of these rows."""
    rows = sample(len(truth), MOST_ROWS, seed)
    shrink = _shrink(truth, rows)
    drawn, left = _draw(Resamples(len(rows), seed), figures_of(task, truth[rows], answers[rows]), shrink)
    return _known(drawn, left, scores, shrink)


def against_baseline(
    task: Task, truth: Array, answers: Array, trivial: Array, scores: tuple[Scores, Scores], seed: int
) -> Intervals:
    """The model's and the baseline's intervals and the gain's, each replicate drawing the same rows for both."""
    rows = sample(len(truth), MOST_ROWS, seed)
    figures = figures_of(task, truth[rows], answers[rows]), figures_of(task, truth[rows], trivial[rows])
    return compared(task, Resamples(len(rows), seed), figures, scores, _shrink(truth, rows))


def compared(
    task: Task, draws: Resamples, figures: tuple[Figures, Figures], scores: tuple[Scores, Scores], shrink: float = 1.0
) -> Intervals:
    """The same of any figures over what is drawn: the model's, then the baseline's, as `scores` are.

    Args:
        task: whose metrics they are.
        draws: of rows, or of whatever the figures give a weight.
        figures: of weights float32 [B, N], each metric [B].
        scores: the metrics over all rows.
        shrink: as `resample.interval` takes it.
    """
    ours, theirs = scores
    model, model_left = _draw(draws, figures[0], shrink)
    baseline, baseline_left = _draw(draws, figures[1], shrink)
    gains = {}
    for name in ours.keys() & theirs.keys():
        sign = 1.0 if METRICS[task][name] == "higher" else -1.0
        value = sign * (ours[name] - theirs[name])
        left = sign * (model_left[name] - baseline_left[name]) if model_left else None
        found = interval(sign * (model[name] - baseline[name]), value, left, shrink)
        if found is not None:
            gains[name] = Gain(value, found)
    return Intervals(
        _known(model, model_left, ours, shrink),
        _known(baseline, baseline_left, theirs, shrink),
        {name: gains[name] for name in ours if name in gains},
    )


def _draw(draws: Resamples, figures: Figures, shrink: float) -> tuple[dict[str, Array], dict[str, Array]]:
    """The figures of every resample, and with each group of rows left out where that is asked for: of all rows."""
    return draws.collect(figures), figures(draws.jackknife()) if shrink == 1 else {}


def _shrink(truth: Array, rows: Array) -> float:
    return float(np.sqrt(len(rows) / len(truth)))


def _known(drawn: dict[str, Array], left: dict[str, Array], scores: Scores, shrink: float) -> dict[str, Interval]:
    found = {name: interval(drawn[name], value, left.get(name), shrink) for name, value in scores.items()}
    return {name: each for name, each in found.items() if each is not None}
