"""A recommender's metrics over many weightings of its users, for the bootstrap.

Users are drawn, each with all of its ratings: one user's ratings are alike, so that drawing single ratings would claim
to know more than it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dropforge.metrics.weighted import dot

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class UserScores:
    """What each user's hold-out rows add to the metrics: float64 [users, 3 + lists' metrics]."""

    table: np.ndarray
    """Ratings, sum of their squared errors, sum of their absolute errors, then the metrics of the user's list."""
    lists: tuple[str, ...]

    @classmethod
    def of(cls, raters: Sequence[object], errors: np.ndarray, lists: dict[str, np.ndarray]) -> UserScores:
        """Of ratings by `raters` [N] that are `errors` [N] off, and lists in the order of the users' first row."""
        places = {user: place for place, user in enumerate(dict.fromkeys(raters))}
        codes = np.array([places[user] for user in raters])
        sums = [np.bincount(codes, values, len(places)) for values in (np.ones(len(codes)), errors**2, np.abs(errors))]
        return cls(np.stack([*sums, *lists.values()], axis=1), tuple(lists))

    def take(self, users: np.ndarray) -> UserScores:
        """These users alone."""
        return UserScores(self.table[users], self.lists)

    def figures(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Every metric [B] of users drawn `weights` times, float32 [B, users]."""
        sums = dot(weights, self.table)
        drawn = weights.sum(axis=1, dtype=np.float64)
        means = {name: sums[:, 3 + place] / drawn for place, name in enumerate(self.lists)}
        return {"rmse": np.sqrt(sums[:, 1] / sums[:, 0]), "mae": sums[:, 2] / sums[:, 0], **means}
