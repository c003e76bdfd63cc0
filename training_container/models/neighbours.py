"""What a row's neighbours have: the mean target of the rows nearest to it in two columns, such as a map's.

Trees cut a map into stripes, and need many to find a street; a table over a grid tells them at once. Which two columns:
those whose neighbours explain most of what a short boosting leaves, and none where that is little. A fold's table knows
its own training rows alone, and these rows read one that was made without them, in five parts (as target encodings are
cross-fitted). A cell holds the mean of several rows, never one row's target.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from sklearn.neighbors import KDTree
from torch import nn

from training_container.models.grid import NEAREST, Grid, mean, spread
from training_container.threads import in_parallel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training_container.models.screening import Screening

MOST_CELLS = 65_536
"""Of one table, over all of its outputs."""

LEAST = 0.15
"""Correlation between what the boosting leaves of a row and of its neighbours from which on a table pays."""

ASKED = 2_000
"""Rows whose neighbours are asked when the columns are chosen."""

DISTINCT = 100
"""Values of a column from which on its neighbours say more than splits do."""

PARTS = 5
"""In which the rows of a fold read a table that was made without them."""


class Found(NamedTuple):
    """The two columns of a fold."""

    columns: np.ndarray
    """int64 [2]."""
    told: float
    """How much their neighbours explain, a correlation."""


class RecommenderModel(NamedTuple):
    """What one fold made of its rows."""

    grid: Grid
    table: np.ndarray
    """float32 [cells, outputs]."""
    own: np.ndarray
    """float32 [rows, outputs]: what these rows read while the fold learns, NaN where a column is missing."""


class Neighbours(nn.Module):
    """float32 [N, numbers and ranks] to [N, folds · outputs], NaN where one of the two columns is missing."""

    places: torch.Tensor
    edges: torch.Tensor
    strides: torch.Tensor
    starts: torch.Tensor
    tables: torch.Tensor

    def __init__(self, dense: np.ndarray, wanted: np.ndarray, folds: Sequence[np.ndarray],
                 glances: Sequence[Screening], columns: Sequence[np.ndarray]) -> None:  # fmt: skip
        """Of `dense` float32 [N, numbers and ranks] and targets [N, outputs] the rows that each fold learns from, what
        a glance at them saw, and its own `columns`.
        """
        super().__init__()
        pairs = in_parallel(lambda fold: _best(dense, *fold), zip(folds, glances, columns, strict=True))
        pays = float(np.mean([pair.told for pair in pairs])) >= LEAST
        self.width = wanted.shape[1] if pays else 0
        models = in_parallel(lambda fold: learned(dense[np.ix_(fold[0], fold[1].columns)], wanted[fold[0]]),
                            zip(folds, pairs, strict=True)) if pays else []  # fmt: skip
        self.own = [model.own for model in models]
        """What the rows of each fold read while it learns: float32 [rows of the fold, outputs]."""
        if pays:
            self._keep([pair.columns for pair in pairs], models)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The two columns that each fold reads."""
        places: list[int] = self.places.tolist() if self.width else []
        return list(zip(places[0::2], places[1::2], strict=True))

    def _keep(self, columns: list[np.ndarray], models: list[RecommenderModel]) -> None:
        """All folds' tables one after the other, their borders filled up with infinity."""
        longest = max(len(own) for model in models for own in model.grid.edges)
        edges = np.full((2 * len(models), longest), np.inf, np.float32)
        for place, own in enumerate(own for model in models for own in model.grid.edges):
            edges[place, : len(own)] = own
        starts = np.cumsum([0, *(model.grid.size for model in models[:-1])])
        self.register_buffer("places", torch.from_numpy(np.concatenate(columns)))
        self.register_buffer("edges", torch.from_numpy(edges))
        self.register_buffer("strides", torch.tensor([len(model.grid.centres[1]) for model in models]))
        self.register_buffer("starts", torch.from_numpy(starts))
        self.register_buffer("tables", torch.from_numpy(np.concatenate([model.table for model in models])))

    def forward(self, dense: torch.Tensor) -> torch.Tensor:
        """All folds' outputs, fold after fold."""
        points = dense[:, self.places]
        bins = (points.unsqueeze(2) > self.edges).long().sum(dim=2)
        cells = self.starts + bins[:, 0::2] * self.strides + bins[:, 1::2]
        missing = (points[:, 0::2] + points[:, 1::2]).isnan().unsqueeze(2)
        return torch.where(missing, torch.nan, self.tables[cells]).flatten(1)


def learned(points: np.ndarray, wanted: np.ndarray) -> RecommenderModel:
    """The grid and the table of points float32 [N, 2] and their targets [N, outputs]."""
    own = np.full(wanted.shape, np.nan, np.float32)
    there = np.flatnonzero(np.isfinite(points).all(axis=1))
    points, wanted = points[there].astype(np.float64), wanted[there]
    grid = Grid.over(points, int(min((MOST_CELLS / wanted.shape[1]) ** 0.5, 2 * len(there) ** 0.5)))
    cells, part = grid.cells(points), np.arange(len(there)) % PARTS
    for number in range(PARTS):
        wanted_cells, back = np.unique(cells[part == number], return_inverse=True)
        own[there[part == number]] = grid.table(points[part != number], wanted[part != number], wanted_cells)[back]
    return RecommenderModel(grid, grid.table(points, wanted, np.arange(grid.size)), own)


def _best(dense: np.ndarray, rows: np.ndarray, seen: Screening, columns: np.ndarray) -> Found:
    """The two of a fold's columns whose neighbours tell most of what is left."""
    pairs = [columns[list(pair)] for pair in combinations(np.sort(seen.top), 2)]
    few = rows[: len(seen.left)]
    candidates = [Found(pair, told(dense[np.ix_(few, pair)], seen.left)) for pair in pairs]
    return max(candidates, key=lambda candidate: candidate.told, default=Found(columns[:2], 0.0))


def told(points: np.ndarray, left: np.ndarray) -> float:
    """Correlation of what is left [N, outputs] of a point [N, 2] with the mean of its neighbours; 0 without any."""
    there = np.isfinite(points).all(axis=1)
    points, left = points[there].astype(np.float64), left[there]
    if min(len(np.unique(column)) for column in points.T) < DISTINCT or not left.std():
        return 0.0
    points, count = points / spread(points), min(ASKED, len(points))
    distance, near = KDTree(points).query(points[:count], NEAREST + 1)
    other = near != np.arange(count)[:, None]
    other[other.all(axis=1), -1] = False  # of many rows at one place: any ten of them
    said = mean(distance[other].reshape(count, NEAREST), near[other].reshape(count, NEAREST), left)
    return float(np.corrcoef(said.ravel(), left[:count].ravel())[0, 1]) if said.std() else 0.0
