"""What stands beside a recommender's scores: intervals over users, and notes where there are too few of them.

Users are drawn, each with all of its ratings: one user's ratings are alike, so that drawing single ratings would claim
to know more than it does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from training_container.scoring.intervals import compared
from training_container.scoring.notes import notes
from training_container.scoring.resample import MOST_ROWS, Resamples, sample
from training_container.scoring.weighted import dot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.contract.results import Metrics
    from training_container.scoring.weighted import Figures

FEW_USERS = 100
"""Hold-out users below which every score is said to be rough."""


@dataclass(frozen=True)
class UserScores:
    """What each user's hold-out rows add to the metrics: float64 [users, 3 + lists' metrics]."""

    table: np.ndarray
    """Ratings, sum of their squared errors, sum of their absolute errors, then the metrics of the user's list."""
    lists: tuple[str, ...]

    @classmethod
    def of(cls, raters: Sequence[object], errors: np.ndarray, lists: dict[str, np.ndarray]) -> UserScores:
        """Of ratings by `raters` [N] that are `errors` [N] off, and lists in the order of the users' first row."""
        places = {user: at for at, user in enumerate(dict.fromkeys(raters))}
        codes = np.array([places[user] for user in raters])
        sums = [np.bincount(codes, each, len(places)) for each in (np.ones(len(codes)), errors**2, np.abs(errors))]
        return cls(np.stack([*sums, *lists.values()], axis=1), tuple(lists))

    def take(self, users: np.ndarray) -> UserScores:
        """These users alone."""
        return UserScores(self.table[users], self.lists)

    def figures(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Every metric [B] of users drawn `weights` times, float32 [B, users]."""
        sums = dot(weights, self.table)
        drawn = weights.sum(axis=1, dtype=np.float64)
        means = {name: sums[:, 3 + at] / drawn for at, name in enumerate(self.lists)}
        return {"rmse": np.sqrt(sums[:, 1] / sums[:, 0]), "mae": sums[:, 2] / sums[:, 0], **means}


def honest(measured: Metrics, truth: np.ndarray, ours: UserScores, trivial: UserScores, seed: int) -> Metrics:
    """`measured` with intervals, gains and notes.

    Args:
        measured: the scores on the hold-out.
        truth: the hold-out's ratings [N].
        ours: of the model.
        trivial: of the baseline, for the same users.
        seed: of the resamples.
    """
    users = sample(len(ours.table), MOST_ROWS, seed)
    figures: tuple[Figures, Figures] = (ours.take(users).figures, trivial.take(users).figures)
    shrink = float(np.sqrt(len(users) / len(ours.table)))
    found = compared("recommendation", Resamples(len(users), seed), figures, (measured.holdout, measured.baseline),
                     shrink)  # fmt: skip
    told = replace(measured, intervals=found.model, baseline_intervals=found.baseline, gains=found.gains)
    return replace(told, notes=(*notes(told, truth, truth, ()), *_few_users(len(ours.table))))


def _few_users(users: int) -> tuple[str, ...]:
    if users >= FEW_USERS:
        return ()
    return (
        f"Only {users:,} users have ratings in the hold-out: every score is rough, read its interval instead. "
        f"Drop the ratings of {FEW_USERS:,} users or more.",
    )
