"""Permutation importance: how much the deciding metric worsens when a column's values are shuffled among hold-out rows.

A column is measured as a caller sends it, so that whatever the model makes of it is measured with it. At most
`MOST_ROWS` rows are used, and each column is shuffled at most `MOST_SHUFFLES` times; with many columns there are fewer
of both, so that about `MOST_ANSWERS` rows are answered. The interval is a bootstrap over the rows. A fall is positive
when the column helps, whatever the metric's direction.

With more than `MOST_CALLS` columns not every column is measured, because each call costs time by the columns too.
Columns are then shuffled together in groups, and the group whose shuffling moves the answers most is halved, again and
again, until that many calls were made: the columns that are left alone are those that the answers depend on most.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from dropforge.contract.results import METRICS
from dropforge.contract.scores import Importance, Interval
from dropforge.metrics import scores as metrics
from dropforge.metrics.resampling import Resamples, interval, sample
from dropforge.metrics.weighted import figures_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dropforge.contract.tasks import Task

    Array = np.ndarray[Any, Any]
    Columns = dict[str, Array]
    Answer = Callable[[Columns], Array]

MOST_ROWS = 2_000
FEWEST_ROWS = 200
"""Rows that are used at least, where there are that many, however many columns there are."""

MOST_SHUFFLES = 3
MOST_ANSWERS = 10_000
"""A large ensemble takes a quarter of a millisecond a row: more would cost as much as a family's fit."""
MOST_CALLS = 500
GROUPS = 64
"""Groups that a search begins with, of columns that stand side by side."""

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
    untouched = answer(kept)
    whole, measured = _measure(task, metric, right, untouched, seed), []
    chance = np.random.default_rng(seed)

    def shuffled(names: Sequence[str]) -> list[Array]:
        return _shuffled(kept, names, answer, repeats, chance)

    every = ((name, shuffled([name])) for name in kept)
    for name, answers in every if len(kept) <= MOST_CALLS else _search(list(kept), untouched, shuffled):
        scores = [_measure(task, metric, right, values, seed) for values in answers]
        measured.append(_importance(name, whole, scores))
    return tuple(sorted(measured, key=lambda importance: -importance.fall))


def _search(names: list[str], untouched: Array, shuffled: Callable[[Sequence[str]], list[Array]],
            ) -> Iterator[tuple[str, list[Array]]]:  # fmt: skip
    """The columns that answers depend on most, each with the answers under its shuffles."""
    waiting: list[tuple[float, int, int, list[Array]]] = []
    calls = 0

    def add(start: int, end: int) -> None:
        answers = shuffled(names[start:end])
        heappush(waiting, (-float(np.mean([np.abs(each - untouched).mean() for each in answers])), start, end, answers))

    for start, end in pairwise(np.linspace(0, len(names), GROUPS + 1).astype(int).tolist()):
        add(start, end)
        calls += 1
    while waiting:
        _, start, end, answers = heappop(waiting)
        if end - start == 1:
            yield names[start], answers
        elif calls < MOST_CALLS:
            middle = (start + end) // 2
            add(start, middle)
            add(middle, end)
            calls += 2


def _shuffled(kept: Columns, names: Sequence[str], answer: Answer, repeats: int, chance: np.random.Generator,
              ) -> list[Array]:  # fmt: skip
    """The answers under each shuffle of some columns together, asked for in one call."""
    orders = [chance.permutation(len(kept[names[0]])) for _ in range(repeats)]
    stacked = {other: np.tile(values, repeats) for other, values in kept.items()} if repeats > 1 else dict(kept)
    for name in names:
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
