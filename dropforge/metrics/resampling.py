"""The bootstrap: how often each row is drawn in each replicate, made once and shared by all figures of the same rows.

Bias-corrected and accelerated (BCa) intervals over `REPLICATES` multinomial resamples. Above `MOST_ROWS` rows a sample
of them is resampled and the percentile interval's half-widths are scaled by sqrt(sample / rows) around the score of all
rows (m out of n), so that the cost does not grow with the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from dropforge.contract.scores import CONFIDENCE, Interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Array = np.ndarray

REPLICATES = 500
MOST_ROWS = 20_000
CHUNK = 500_000
"""Draws that are held in memory at once."""

GROUPS = 200
"""Of the jackknife, which finds how the figure leans."""

LEAST = 0.05
"""Least share of resamples on either side of the score that the bias correction believes."""


@dataclass(frozen=True)
class Resamples:
    """Multinomial resamples of `rows` rows; the same seed gives the same draws."""

    rows: int
    seed: int
    replicates: int = REPLICATES

    def weights(self) -> Iterator[Array]:
        """Times that each row was drawn, float32 [some, rows], until there were `replicates` of them.

        Float32 holds every count and every sum of counts up to 2^24 exactly, and halves the time.
        """
        chance, left = np.random.default_rng(self.seed), self.replicates
        while left > 0:
            some = min(left, max(1, CHUNK // self.rows))
            drawn = chance.integers(0, self.rows, (some, self.rows), dtype=np.int32)
            drawn += np.arange(some, dtype=np.int32)[:, None] * np.int32(self.rows)
            counts = np.bincount(drawn.ravel(), minlength=some * self.rows)
            yield counts.reshape(some, self.rows).astype(np.float32)
            left -= some

    def jackknife(self) -> Array:
        """Weights with one group of rows left out at a time, float32 [groups, rows]."""
        groups = min(self.rows, GROUPS)
        member = np.random.default_rng(self.seed).permutation(self.rows) % groups
        return np.asarray(member[None, :] != np.arange(groups)[:, None], dtype=np.float32)

    def collect(self, figures: Callable[[Array], dict[str, Array]]) -> dict[str, Array]:
        """Each figure over all replicates, [replicates]; `figures` gives them [some] for weights [some, rows]."""
        parts = [figures(weights) for weights in self.weights()]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def interval(replicates: Array, score: float | None = None, left: Array | None = None,
             shrink: float = 1.0) -> Interval | None:  # fmt: skip
    """The interval of a figure; None where it does not exist in half of the resamples or more.

    Args:
        replicates: the figure of every resample.
        score: the figure of all rows; with it and `left`, the interval is bias-corrected and accelerated (BCa).
        left: the figure with one group of rows left out at a time, by `Resamples.jackknife`.
        shrink: factor of the half-widths about `score`, where only a sample of the rows was resampled.
    """
    known = replicates[np.isfinite(replicates)]
    if 2 * len(known) <= len(replicates):
        return None
    ends = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
    if shrink < 1 and score is not None:
        low, high = score + (np.quantile(known, ends) - np.median(known)) * shrink
    elif score is not None and left is not None and np.isfinite(left).all():
        low, high = np.quantile(known, _accelerated(known, score, left, ends))
    else:
        low, high = np.quantile(known, ends)
    if score is not None:  # resamples that all lie to one side of the score still say nothing against it
        low, high = min(low, score), max(high, score)
    return Interval(float(low), float(high))


def _accelerated(known: Array, score: float, left: Array, ends: tuple[float, float]) -> list[float]:
    """The quantiles that BCa takes instead of `ends` (Efron 1987): heavy tails lean resamples to one side.

    The acceleration of a delete-a-group jackknife equals that of leaving out single rows, as a group's mean is less
    skewed by just the factor that there are fewer of them.
    """
    normal, apart = NormalDist(), left.mean() - left
    spread = float((apart**2).sum()) ** 1.5
    lean = float((apart**3).sum()) / (6 * spread) if spread > 0 else 0.0
    below = float(np.mean(known < score) + np.mean(known == score) / 2)
    bias = normal.inv_cdf(min(max(below, LEAST), 1 - LEAST))
    moved = [bias + normal.inv_cdf(end) for end in ends]
    return [normal.cdf(bias + each / (1 - lean * each)) if lean * each < 1 else float(each > 0) for each in moved]


def wilson(hits: float, rows: int) -> Interval:
    """Wilson's interval of a share, good for few rows and at 0 and 1."""
    z = 1.959964
    share, base = hits / rows, 1 + z**2 / rows
    centre = (share + z**2 / (2 * rows)) / base
    half = z / base * float(np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2)))
    return Interval(max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def sample(rows: int, most: int, seed: int) -> Array:
    """Positions of at most `most` rows, in order."""
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
