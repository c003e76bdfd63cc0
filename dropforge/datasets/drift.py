"""Whether what a data set tells changes with time, so that a hold-out of rows between the learned ones flatters.

A quick model answers the latest fifth of the rows twice: once where it has learned from all other rows by cross
validation, rows of the same days included, and once where it has learned from earlier rows alone. Both learn from the
same number of rows. Where the second does worse, row by row of the same rows, a model that serves will do worse than a
random hold-out says. The difference is judged by its means over `BLOCKS` blocks of time, because rows of one day are
alike.

The quick model is boosted stumps over binned columns, as additive as trees get: like the trees that the trainer grows,
it does not extrapolate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dropforge.datasets.hashing import mix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Values = NDArray[np.float64]
    Codes = NDArray[np.int64]

MOST_ROWS, LEAST_ROWS, MOST_CELLS = 10_000, 2_000, 1_000_000
"""Rows that are looked at: fewer of a wide table, whose cells would take long."""

MOST_COLUMNS = 20
"""Columns that the quick model reads, those that tell most of the target by themselves."""

LATEST = 0.2
BLOCKS = 20
FEWEST_ROWS = 200
FOLDS = 5
ROUNDS, RATE = 40, 0.4
BINS = 64
SMOOTHING = 5.0
"""Rows of the mean that a bin's mean is drawn to."""


def rows_to_look_at(columns: int) -> int:
    """How many rows are worth their time, of so many columns."""
    return min(MOST_ROWS, max(LEAST_ROWS, MOST_CELLS // max(columns, 1)))


@dataclass(frozen=True)
class Drift:
    """What the latest rows cost."""

    ratio: float
    """Root of the mean squared error on the latest rows, learned from earlier ones, over that learned from all."""
    sureness: float
    """The mean difference over blocks of time, in its standard errors."""


def drift(times: Values, columns: Mapping[str, NDArray[Any]], target: Values) -> Drift | None:
    """What a split by `times` would show that a random one hides; None for too few rows.

    Args:
        times: of the rows, [N], NaN for missing.
        columns: name to float64 [N] with NaN for missing, or texts [N].
        target: numbers, or a column of 0 and 1 for each class: float64 [N, outputs].
    """
    known = np.flatnonzero(np.isfinite(times))
    order = known[np.argsort(times[known], kind="stable")]
    if len(order) < FEWEST_ROWS:
        return None
    y = _tamed(target[order])
    start = times[order][int((1 - LATEST) * len(order))]
    late = times[order] >= start
    if late.all() or not 0.05 < late.mean() < 0.5:
        return None
    binned = _binned(columns, order, y)
    by_time = _errors(binned, y, ~late, late)
    apart = by_time - _crossed(binned, y)[late]
    blocks = np.array([part.mean() for part in np.array_split(apart, BLOCKS)])
    spread = float(blocks.std(ddof=1) / np.sqrt(BLOCKS))
    before = float((by_time - apart).mean())
    ratio = float(np.sqrt(by_time.mean() / before)) if before > 0 else 1.0
    return Drift(ratio, float(blocks.mean()) / spread if spread > 0 else 0.0)


def _tamed(target: Values) -> Values:
    """The target without its wildest values, in its standard deviations."""
    low, high = np.quantile(target, [0.005, 0.995], axis=0)
    clipped = np.clip(target, low, high)
    spread = clipped.std(axis=0)
    return np.asarray((clipped - clipped.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


@dataclass(frozen=True)
class Binned:
    """The columns that tell most."""

    bins: Codes
    """Of each column, [columns, N]: numbers up to `BINS`."""
    are_texts: tuple[bool, ...]
    """Whether the order of a column's bins means nothing."""


def _binned(columns: Mapping[str, NDArray[Any]], order: Codes, y: Values) -> Binned:
    every = [_bins(values[order]) for values in columns.values()]
    told = [-sum(_told(bins, each) for each in y.T) for bins in every]
    chosen = np.argsort(told, kind="stable")[:MOST_COLUMNS].tolist()
    texts = [values.dtype.kind != "f" for values in columns.values()]
    bins = np.array([every[place] for place in chosen], np.int64).reshape(len(chosen), len(order))
    return Binned(bins, tuple(texts[place] for place in chosen))


def _bins(values: NDArray[Any]) -> Codes:
    """Numbers by quantiles with missing ones behind; the most frequent texts, and all others together."""
    if values.dtype.kind != "f":
        _, codes, counts = np.unique(values.astype(str), return_inverse=True, return_counts=True)
        ranks = np.argsort(np.argsort(-counts, kind="stable"), kind="stable")
        return np.asarray(np.minimum(ranks[codes], BINS - 1), np.int64)
    known = np.isfinite(values)
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, BINS)[1:-1])) if known.any() else np.zeros(0)
    return np.asarray(np.where(known, np.searchsorted(edges, values, side="right"), len(edges) + 1), np.int64)


def _told(bins: Codes, y: Values) -> float:
    """How much of the target's variance lies between the bins."""
    sizes = np.bincount(bins)
    return float((np.bincount(bins, y) ** 2 / (sizes + SMOOTHING)).sum())


def _crossed(binned: Binned, y: Values) -> Values:
    """Squared errors [N] of every row, where those of its fold were not learned from."""
    fold = (mix(np.arange(len(y), dtype=np.uint64)) % np.uint64(FOLDS)).astype(np.int64)
    errors = np.empty(len(y))
    for each in range(FOLDS):
        errors[fold == each] = _errors(binned, y, fold != each, fold == each)
    return errors


def _errors(binned: Binned, y: Values, learn: NDArray[np.bool_], ask: NDArray[np.bool_]) -> Values:
    """Squared errors of the rows `ask`, summed over the outputs, of a model of the rows `learn`."""
    errors = np.zeros(int(ask.sum()))
    for each in y.T:
        bins = _ordered(binned, each, learn)
        errors += (each[ask] - _boosted(bins[:, learn], each[learn], bins[:, ask])) ** 2
    return errors


def _ordered(binned: Binned, y: Values, learn: NDArray[np.bool_]) -> Codes:
    """The bins, those of texts in the order of their means of the rows `learn`, so that one cut tells them apart."""
    ordered = binned.bins.copy()
    for place in np.flatnonzero(binned.are_texts):
        bins = binned.bins[place]
        sums, sizes = np.bincount(bins[learn], y[learn], BINS + 1), np.bincount(bins[learn], minlength=BINS + 1)
        ordered[place] = np.argsort(np.argsort(sums / (sizes + SMOOTHING), kind="stable"), kind="stable")[bins]
    return ordered


def _boosted(learned: Codes, y: Values, asked: Codes) -> Values:
    """Answers [asked rows] of boosted stumps: each round cuts the column in two whose halves differ most."""
    answers, rest = np.full(asked.shape[1], y.mean()), y - y.mean()
    sizes = [np.cumsum(np.bincount(bins, minlength=BINS + 1)) for bins in learned]
    for _ in range(ROUNDS):
        cuts = (_cut(bins, rest, size, place) for place, (bins, size) in enumerate(zip(learned, sizes, strict=True)))
        gain, place, edge, low, high = max(cuts, default=(0.0, 0, 0, 0.0, 0.0))
        if gain <= 0:
            break
        rest -= RATE * np.where(learned[place] <= edge, low, high)
        answers += RATE * np.where(asked[place] <= edge, low, high)
    return answers


def _cut(bins: Codes, rest: Values, size: Codes, place: int) -> tuple[float, int, int, float, float]:
    """The gain of the best cut of one column, the column, the last bin on the lower side, and the two sides' means."""
    sums = np.cumsum(np.bincount(bins, rest, BINS + 1))
    below, above = size[:-1] + SMOOTHING, size[-1] - size[:-1] + SMOOTHING
    gains = sums[:-1] ** 2 / below + (sums[-1] - sums[:-1]) ** 2 / above - sums[-1] ** 2 / (size[-1] + 2 * SMOOTHING)
    edge = int(np.argmax(gains))
    return (
        float(gains[edge]),
        place,
        edge,
        float(sums[edge] / below[edge]),
        float((sums[-1] - sums[edge]) / above[edge]),
    )
