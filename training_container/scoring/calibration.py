"""Whether probabilities mean what they say: expected calibration error, Brier score, and a reliability table.

Of two classes the second one's probability is looked at, of more the most likely one's. The bins hold equally many
rows. Even a perfectly calibrated model has an error above 0 on a finite hold-out; how large it is by chance is found by
drawing outcomes from the model's own probabilities (consistency resampling, Bröcker and Smith 2007), and only an error
beyond that is called one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dropforge.contract.scores import CONFIDENCE, Calibration, Interval, Reliability
from dropforge.metrics.resampling import MOST_ROWS, REPLICATES, Resamples, interval, sample, wilson

if TYPE_CHECKING:
    from collections.abc import Callable

    Array = np.ndarray
    Gap = Callable[[Array, Array], Array]

MOST_BINS = 10
FEWEST_BIN_ROWS = 20
"""Rows of a bin at least: with fewer hold-out rows there are fewer bins."""

FEWEST_CALIBRATED_ROWS = 100
"""Rows below which nothing is said of the calibration."""


def calibration(truth: Array, answers: Array, seed: int) -> Calibration:
    """The calibration of probabilities [N, classes] against class codes [N]."""
    rows = sample(len(truth), MOST_ROWS, seed)
    truth, answers = truth[rows], answers[rows].astype(np.float64)
    binary = answers.shape[1] == 2
    said = answers[:, 1] if binary else answers.max(axis=1)
    came = (truth == 1 if binary else answers.argmax(axis=1) == truth).astype(np.float64)
    order, starts = _bins(said)
    said, came = said[order], came[order]
    square = _squares(truth, answers)[order]
    gap = _errors(said, starts)
    error = float(gap(came[None, :], np.ones((1, len(said))))[0])
    drawn = Resamples(len(said), seed).collect(
        lambda weights: {"error": gap(came[None, :], weights), "brier": weights @ square / weights.sum(axis=1)}
    )
    by_chance = _by_chance(said, gap, seed)
    return Calibration(
        error=error,
        error_interval=_basic(drawn["error"], error),
        by_chance=by_chance,
        brier=float(square.mean()),
        brier_interval=interval(drawn["brier"]) or Interval(float(square.mean()), float(square.mean())),
        table=_table(said, came, starts),
        calibrated=None if len(said) < FEWEST_CALIBRATED_ROWS else error <= by_chance,
    )


def _bins(said: Array) -> tuple[Array, Array]:
    """Order by probability, and where each bin begins; rows of equal probability share a bin."""
    order = np.argsort(said, kind="stable")
    ordered = said[order]
    many = max(1, min(MOST_BINS, len(said) // FEWEST_BIN_ROWS))
    wanted = (np.arange(many) * len(said)) // many
    return order, np.unique(np.searchsorted(ordered, ordered[wanted], side="left"))


def _squares(truth: Array, answers: Array) -> Array:
    """Each row's squared error of the probabilities."""
    if answers.shape[1] == 2:
        return np.asarray((answers[:, 1] - (truth == 1)) ** 2)
    own = answers[np.arange(len(truth)), truth]
    return np.asarray((answers**2).sum(axis=1) - own**2 + (1 - own) ** 2)


def _errors(said: Array, starts: Array) -> Gap:
    """A function of outcomes [B or 1, N] and weights [B or 1, N] that gives the calibration errors [B]."""

    def gap(came: Array, weights: Array) -> Array:
        apart = np.add.reduceat(weights * (came - said), starts, axis=1)
        return np.asarray(np.abs(apart).sum(axis=1) / weights.sum(axis=1))

    return gap


def _by_chance(said: Array, gap: Gap, seed: int) -> float:
    """The error that outcomes drawn from the probabilities themselves stay below, with the confidence of intervals."""
    chance, ones, errors = np.random.default_rng(seed + 1), np.ones((1, len(said))), []
    for _ in range(REPLICATES):
        came = (chance.random(len(said), dtype=np.float32) < said).astype(np.float64)
        errors.append(float(gap(came[None, :], ones)[0]))
    return float(np.quantile(errors, CONFIDENCE))


def _basic(drawn: Array, error: float) -> Interval:
    """The basic interval, mirrored about the error: resampling adds noise to it, which percentiles would keep."""
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(max(0.0, float(2 * error - high)), max(error, float(2 * error - low)))


def _table(said: Array, came: Array, starts: Array) -> tuple[Reliability, ...]:
    ends = np.r_[starts[1:], len(said)]
    return tuple(
        Reliability(
            rows=int(end - start),
            said=float(said[start:end].mean()),
            came=float(came[start:end].mean()),
            interval=wilson(float(came[start:end].sum()), int(end - start)),
        )
        for start, end in zip(starts, ends, strict=True)
    )
