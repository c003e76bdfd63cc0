"""A grid over two columns, and in each of its cells the mean target of the rows nearest to it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.neighbors import KDTree

NEAREST = 10
"""Rows whose target is averaged, the nearer ones weighing more."""


class Grid(NamedTuple):
    """Cells that are narrow where rows are many: a cell is a place of the first column, then one of the second."""

    edges: tuple[np.ndarray, np.ndarray]
    """float32, rising: of each column the borders between its places."""
    centres: tuple[np.ndarray, np.ndarray]
    """Of each column a value a place, one more than borders."""
    spread: np.ndarray
    """[2]: what one unit of distance is in each column."""

    @classmethod
    def over(cls, points: np.ndarray, side: int) -> Grid:
        """At most `side` places of each column, of equally many points [N, 2]."""
        steps = np.linspace(0, 1, side + 1)[1:-1]
        first, second = (np.unique(np.quantile(column, steps)).astype(np.float32) for column in points.T)
        return cls((first, second), (_centres(points[:, 0], first), _centres(points[:, 1], second)), spread(points))

    @property
    def size(self) -> int:
        """How many cells there are."""
        return len(self.centres[0]) * len(self.centres[1])

    def cells(self, points: np.ndarray) -> np.ndarray:
        """The cell of each point [N, 2]: int64 [N]."""
        first, second = (np.searchsorted(own, column) for column, own in zip(points.T, self.edges, strict=True))
        cells: np.ndarray = first * len(self.centres[1]) + second
        return cells

    def table(self, points: np.ndarray, wanted: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """What the points [N, 2] nearest to these cells have, of targets [N, outputs]: float32 [cells, outputs]."""
        first, second = np.divmod(cells, len(self.centres[1]))
        centres = np.stack([self.centres[0][first], self.centres[1][second]], axis=1)
        distance, near = KDTree(points / self.spread).query(centres / self.spread, min(NEAREST, len(points)))
        return mean(distance, near, wanted)


def mean(distance: np.ndarray, near: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Of targets [N, outputs] the mean over each row of `near` [M, k], the nearer ones first: float32 [M, outputs]."""
    weight = 1 / (distance + 0.1 * distance.mean() + 1e-9)
    weight /= weight.sum(axis=1, keepdims=True)
    means: np.ndarray = np.einsum("mk,mko->mo", weight, wanted[near]).astype(np.float32)
    return means


def spread(points: np.ndarray) -> np.ndarray:
    """Standard deviation of each column of points [N, 2], 1 where it is nothing."""
    deviation: np.ndarray = points.std(axis=0)
    return np.where(np.isfinite(deviation) & (deviation > 0), deviation, 1.0)


def _centres(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The mean of the values in each place, the middle where there are none."""
    places = np.searchsorted(edges, values)
    count = np.bincount(places, minlength=len(edges) + 1)
    ends = np.concatenate([[values.min()], edges, [values.max()]])
    means = np.bincount(places, values, len(edges) + 1) / np.maximum(count, 1)
    return np.where(count > 0, means, (ends[1:] + ends[:-1]) / 2)
