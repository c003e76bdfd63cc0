"""The bootstrap: how often each row is drawn in each replicate, made once and shared by all figures of the same rows.

Percentile intervals over `REPLICATES` multinomial resamples. Above `MOST_ROWS` rows a sample of them is resampled and
the interval's half-widths are scaled by sqrt(sample / rows) around the score of all rows (m out of n), so that the cost
does not grow with the data.
"""

from __future__ import annotations

from dataclasses import dataclass
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

    def collect(self, figures: Callable[[Array], dict[str, Array]]) -> dict[str, Array]:
        """Each figure over all replicates, [replicates]; `figures` gives them [some] for weights [some, rows]."""
        parts = [figures(weights) for weights in self.weights()]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def interval(replicates: Array, shrink: float = 1.0, around: float = 0.0) -> Interval | None:
    """The percentile interval; None where the figure does not exist in half of the resamples or more.

    `shrink` scales the half-widths about `around`, the figure of all rows.
    """
    known = replicates[np.isfinite(replicates)]
    if 2 * len(known) <= len(replicates):
        return None
    low, high = np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    if shrink < 1:
        centre = float(np.median(known))
        low, high = around + (low - centre) * shrink, around + (high - centre) * shrink
    return Interval(float(low), float(high))


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
