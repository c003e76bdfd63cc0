"""Permutation importance: how much the deciding metric worsens when a column's values are shuffled among hold-out rows.

Every column that the model reads is measured, as a caller sends it, so that whatever the model makes of it is measured
with it. At most `MOST_ROWS` rows are used, and each column is shuffled at most `MOST_SHUFFLES` times; with many columns
there are fewer of both, so that about `MOST_ANSWERS` rows are answered. The interval is a bootstrap over the rows.
A fall is positive when the column helps, whatever the metric's direction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dropforge.contract.results import METRICS
from dropforge.contract.scores import Importance, Interval
from dropforge.metrics import scores as metrics
from dropforge.metrics.resampling import Resamples, interval, sample
from dropforge.metrics.weighted import figures_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dropforge.contract.schema import Task

    Array = np.ndarray[Any, Any]
    Columns = dict[str, Array]
    Answer = Callable[[Columns], Array]

MOST_ROWS = 2_000
FEWEST_ROWS = 200
"""Rows that are used at least, where there are that many, however many columns there are."""

MOST_SHUFFLES = 3
MOST_ANSWERS = 10_000
"""A large ensemble takes a quarter of a millisecond a row: more would cost as much as a family's fit."""
IMPORTANCE_REPLICATES = 200
"""Fewer than for scores: these intervals are drawn as whiskers, not compared with a threshold."""


def importances(
    task: Task, metric: str, columns: Mapping[str, Array], truth: Array, answer: Answer, seed: int
) -> tuple[Importance, ...]:
    """Every column's importance, the largest fall first; `answer` gives the model's answers for raw columns."""
    share = MOST_ANSWERS // max(1, len(columns))
    repeats = min(MOST_SHUFFLES, max(1, share // FEWEST_ROWS))
    rows = sample(len(truth), min(MOST_ROWS, max(FEWEST_ROWS, share // repeats)), seed)
    kept, right = {name: values[rows] for name, values in columns.items()}, truth[rows]
    whole, measured = _measure(task, metric, right, answer(kept), seed), []
    chance = np.random.default_rng(seed)
    for name in kept:
        answers = _shuffled(kept, name, answer, repeats, chance)
        measured.append(
            _importance(name, whole, [_measure(task, metric, right, shuffled, seed) for shuffled in answers])
        )
    return tuple(sorted(measured, key=lambda importance: -importance.fall))


def _shuffled(kept: Columns, name: str, answer: Answer, repeats: int, chance: np.random.Generator) -> list[Array]:
    """The answers under each shuffle of one column, asked for in one call."""
    orders = [chance.permutation(len(kept[name])) for _ in range(repeats)]
    stacked = {other: np.tile(values, repeats) for other, values in kept.items()}
    stacked[name] = np.concatenate([kept[name][order] for order in orders])
    return np.split(answer(stacked), repeats)


def _measure(task: Task, metric: str, truth: Array, answers: Array, seed: int) -> Array:
    """The metric of these answers, higher being better: on all rows first, then on each resample, [1 + replicates]."""
    drawn = Resamples(len(truth), seed, IMPORTANCE_REPLICATES).collect(figures_of(task, truth, answers, metric))[metric]
    sign = 1.0 if METRICS[task][metric] == "higher" else -1.0
    return np.concatenate([[sign * metrics.scores(task, truth, answers)[metric]], sign * drawn])


def _importance(name: str, whole: Array, shuffled: list[Array]) -> Importance:
    falls = np.mean([whole - score for score in shuffled], axis=0)
    fall = float(falls[0]) if np.isfinite(falls[0]) else 0.0  # no AUC where the rows hold one class alone
    return Importance(name, fall, interval(falls[1:]) or Interval(fall, fall))
