"""The recommender: every part is fitted, weighted on held-back ratings, fitted again on all, and added to one pair."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from training_container.tasks.recommendation.fitting import Fitting
from training_container.tasks.recommendation.pairs import Pair, stacked
from training_container.tasks.recommendation.ranker import choose_ranker, lists
from training_container.tasks.recommendation.ratings import REAL, Ratings

if TYPE_CHECKING:
    from training_container.budget import Budget
    from training_container.checkpoints import Checkpoints
    from training_container.progress import Progress
    from training_container.tasks.recommendation.fitting import Part
    from training_container.tasks.recommendation.ranker import Ranker

FINAL_RANK = 192
"""Dimensions of the blend in the model file."""

WEIGHT_PENALTY = 1.0

FIRST_FIT, RANKING = 0.4, 0.25
"""Part of the budget for the fit that is weighted, and of the rest for choosing how to rank; what is left is for the
fit that is kept."""


@dataclass(frozen=True)
class Recommender:
    """Two pairs: what a rating would be (less the mean), and what to show first."""

    known: Ratings
    """What is not shown again."""
    mean: float
    """Of the ratings that were learned from."""
    tastes: Pair
    ranks: Pair
    low: float
    high: float

    def ratings(self, users: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        """Expected ratings float64 [N] of known users and items, within the range of the known ratings."""
        return (self.mean + self.tastes.scores(users, items)).clamp(self.low, self.high)


@dataclass(frozen=True)
class Blended:
    """The recommender with what the report tells of it."""

    model: Recommender
    weights: dict[str, float]
    validation: dict[str, dict[str, float]]
    """Of every part alone and of the blend (`blend`), on the held-back ratings."""
    seconds: dict[str, float]
    settings: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, dict[str, list[float]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Tried:
    """The recommender of the first fit: all that is decided, decided by the held-back ratings."""

    model: Recommender
    parts: dict[str, Part]
    weights: dict[str, float]
    ranker: Ranker | None
    """None where no lists will be asked for: the ranking is by the rating."""
    validation: dict[str, dict[str, float]]
    finishing: float
    """Seconds that blending and ranking took once the parts were there."""


def fit(known: Ratings, held: Ratings, *, seed: int, budget: Budget, progress: Progress, checkpoints: Checkpoints,
        ranked: bool = True) -> Blended:  # fmt: skip
    """The recommender of `known` and `held` together; `held` alone decides weights and ranking.

    Args:
        known: ratings to learn from.
        held: ratings of the same users and items, none of them in `known`.
        seed: of all random numbers.
        budget: for both fits; where it is cut, the model is that of `known`.
        progress: hears of the rounds.
        checkpoints: what a killed job goes on from.
        ranked: whether lists will be asked for; without, the ranking is by the rating.
    """
    tried = _try(known, held, seed, budget, progress.within(0, 0.5), checkpoints, ranked)
    whole = joined(known, held)
    model = _finish(tried, whole, seed, budget, progress.within(0.5, 1.0), checkpoints)
    return _told(tried, model or replace(tried.model, known=whole), stopped=model is None)


def _try(known: Ratings, held: Ratings, seed: int, budget: Budget, progress: Progress, checkpoints: Checkpoints,
         ranked: bool) -> Tried:  # fmt: skip
    parts = Fitting(known, seed, checkpoints, "first").parts(budget.part(FIRST_FIT), progress)
    start = budget.spent
    weights = weigh({name: part.pair for name, part in parts.items()}, known, held)
    model = _assembled(known, parts, weights)
    blending, ranker = budget.spent - start, None
    if ranked:
        ranker = choose_ranker(known, model.tastes, held, seed, budget.part(RANKING), checkpoints)
        start = budget.spent
        model = replace(model, ranks=ranker.pair(known, model.tastes, seed))
        blending += budget.spent - start
    return Tried(model, parts, weights, ranker, _validated(model, parts, held, ranked=ranked), blending)


def _validated(
    model: Recommender, parts: dict[str, Part], held: Ratings, *, ranked: bool
) -> dict[str, dict[str, float]]:
    """Scores of every part alone and of the blend."""
    pairs = {**{name: part.pair for name, part in parts.items()}, "blend": model.tastes}
    scores = {name: _errors(model, pair, held) for name, pair in pairs.items()}
    return {**scores, "blend": {**scores["blend"], **(lists(model.ranks, model.known, held) if ranked else {})}}


def _finish(tried: Tried, whole: Ratings, seed: int, budget: Budget, progress: Progress,
            checkpoints: Checkpoints) -> Recommender | None:  # fmt: skip
    """The same again of all ratings; None where the budget was cut, for half a fit is worse than the first."""
    if budget.stopped:
        return None
    rest = budget.part(max(0.0, 1 - tried.finishing / max(budget.left, 1e-9)))
    parts = Fitting(whole, seed, checkpoints, "final").parts(rest, progress)
    if budget.stopped:
        return None
    model = _assembled(whole, parts, tried.weights)
    return model if tried.ranker is None else replace(model, ranks=tried.ranker.pair(whole, model.tastes, seed))


def _assembled(known: Ratings, parts: dict[str, Part], weights: dict[str, float]) -> Recommender:
    tastes = blended({name: part.pair for name, part in parts.items()}, weights)
    return Recommender(known, known.mean, tastes, tastes, float(known.values.min()), float(known.values.max()))


def _told(tried: Tried, model: Recommender, *, stopped: bool) -> Blended:
    settings: dict[str, Any] = {"weights": {name: round(value, 4) for name, value in tried.weights.items()}}
    if tried.ranker is not None:
        settings |= {"ranking dimensions": tried.ranker.dimensions, "popular items held back": tried.ranker.popular,
                     "taste": tried.ranker.taste}  # fmt: skip
    if stopped:
        settings["stopped"] = "before the validation ratings were learned from too"
    seconds = {name: part.seconds for name, part in tried.parts.items()}
    curves = {name: {"noise": part.noise} for name, part in tried.parts.items() if part.noise}
    return Blended(model, tried.weights, tried.validation, seconds, settings, curves)


def weigh(pairs: dict[str, Pair], known: Ratings, held: Ratings) -> dict[str, float]:
    """Weights by least squares on the held-back ratings, pulled a little to 0; equal ones where too few were held."""
    if len(held) < 10 * len(pairs):
        factors = [name for name in pairs if name.startswith("factors")]
        return {name: 1 / len(factors) if name in factors else 0.0 for name in pairs}
    predictions = torch.stack([pair.scores(held.users, held.items) for pair in pairs.values()], 1)
    squares = predictions.T @ predictions + WEIGHT_PENALTY * torch.eye(len(pairs), dtype=REAL)
    weights = torch.linalg.solve(squares, predictions.T @ (held.values - known.mean))
    return dict(zip(pairs, weights.tolist(), strict=True))


def blended(pairs: dict[str, Pair], weights: dict[str, float]) -> Pair:
    """All parts as one pair."""
    return stacked([pair.scaled(weights[name]) for name, pair in pairs.items()]).truncated(FINAL_RANK)


def joined(one: Ratings, other: Ratings) -> Ratings:
    """Both together."""
    return Ratings(
        torch.cat([one.users, other.users]),
        torch.cat([one.items, other.items]),
        torch.cat([one.values, other.values]),
        one.user_count,
        one.item_count,
    )


def _errors(model: Recommender, pair: Pair, held: Ratings) -> dict[str, float]:
    if len(held) == 0:
        return {}
    errors = (model.mean + pair.scores(held.users, held.items)).clamp(model.low, model.high) - held.values
    return {"rmse": float(errors.square().mean().sqrt()), "mae": float(np.abs(errors.numpy()).mean())}
