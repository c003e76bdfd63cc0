"""The recommender: every part is fitted, weighted on held-back ratings, fitted again on all, and added to one pair."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from training_container.recommendation import parts
from training_container.recommendation.factors import sample_factors
from training_container.recommendation.pairs import Pair, stacked
from training_container.recommendation.ranking import best_items, chosen_by_user, list_scores
from training_container.recommendation.ratings import REAL, Ratings

if TYPE_CHECKING:
    from collections.abc import Callable

    from training_container.watch import Budget, Watch

CHAINS = (16, 24, 24)
"""Dimensions of the factor models; each has a seed of its own."""

MANY = 500_000
"""Ratings, beyond which one chain gets the time of all: a long chain is worth more than three short ones."""

IMPLICIT_RANK = 64
NEIGHBOUR_PENALTY = 100.0
FINAL_RANK = 192
"""Dimensions of the blend in the model file."""

WEIGHT_PENALTY = 1.0

RANKERS = tuple((rank, popular) for popular in (0.0, 0.25, 0.5) for rank in (32, 16, 64, 8))
"""Ways to rank by who rated what: dimensions, and how far popular items are held back (`parts.implicit`)."""

TASTES = (0.0, 0.1, 0.3)
"""How much the expected rating counts beside, in standard deviations."""

JUDGES = 1_000
"""Users at most whose lists choose the way to rank."""

FIRST_FIT, RANKING = 0.4, 0.15
"""Parts of the budget for the fit that is weighted, and for choosing how to rank; the rest is for what is kept."""


@dataclass(frozen=True)
class Recommender:
    """Two pairs: what a rating would be (less the mean), and what to show first."""

    known: Ratings
    """What was learned from, and is not shown again."""
    tastes: Pair
    ranks: Pair
    low: float
    high: float

    def ratings(self, users: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        """Expected ratings float64 [N] of known users and items, within the range of the known ratings."""
        return (self.known.mean + self.tastes.scores(users, items)).clamp(self.low, self.high)


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


def fit(known: Ratings, held: Ratings, *, seed: int, budget: Budget, watch: Watch, ranked: bool = True) -> Blended:
    """The recommender of `known` and `held` together; `held` alone decides weights and ranking.

    Args:
        known: ratings to learn from.
        held: ratings of the same users and items, none of them in `known`.
        seed: of all random numbers.
        budget: for both fits.
        watch: hears of the rounds.
        ranked: whether lists will be asked for; without, the ranking is by the rating.
    """
    ranking = budget.left * RANKING
    first, seconds, curves = fit_parts(known, seed, budget.left * FIRST_FIT, watch.within(0, 0.45))
    weights = weigh(first, known, held)
    low, high = float(known.values.min()), float(known.values.max())
    tried = Recommender(known, blended(first, weights), blended(first, weights), low, high)
    validation = {name: _errors(known, pair, held, low, high) for name, pair in first.items()}
    validation["blend"] = _errors(known, tried.tastes, held, low, high)
    ranker, taste = _choose_ranker(tried, held, seed, ranking) if ranked else (None, 1.0)
    if ranked:
        validation["blend"] |= _lists(rank_pair(tried, ranker, taste, seed), known, held)
    whole = joined(known, held)
    final, _, _ = fit_parts(whole, seed, budget.left, watch.within(0.5, 1.0))
    tastes = blended(final, weights)
    plain = Recommender(whole, tastes, tastes, low, high)
    model = Recommender(whole, tastes, rank_pair(plain, ranker, taste, seed), low, high)
    settings = {"weights": {name: round(value, 4) for name, value in weights.items()}, "taste": taste}
    if ranker is not None:
        settings |= {"ranking dimensions": ranker[0], "popular items held back": ranker[1]}
    return Blended(model, weights, validation, seconds, settings, curves)


def fit_parts(
    known: Ratings, seed: int, seconds: float, watch: Watch
) -> tuple[dict[str, Pair], dict[str, float], dict[str, dict[str, list[float]]]]:
    """Every part by name, less the mean rating; how long each took, and the noise by round of the sampled ones."""
    end, took, curves = time.monotonic() + seconds, {}, {}
    start = time.monotonic()
    found = {"biases": parts.biases(known)}
    took["biases"] = time.monotonic() - start
    start = time.monotonic()
    found["neighbours"] = parts.neighbours(known, found["biases"], NEIGHBOUR_PENALTY, seed)
    took["neighbours"] = time.monotonic() - start
    implicit = parts.implicit(known, IMPLICIT_RANK, seed)
    chains = CHAINS if len(known) <= MANY else CHAINS[:1]
    for at, dimensions in enumerate(chains):
        name, start = f"factors-{at + 1}", time.monotonic()
        noise: list[float] = []
        told = _teller(watch.within(at / len(chains), (at + 1) / len(chains), model=name), noise)
        found[name] = sample_factors(known, implicit, dimensions, seed + at, told, (end - start) / (len(chains) - at))
        took[name], curves[name] = time.monotonic() - start, {"noise": noise}
    return found, took, curves


def _teller(watch: Watch, noise: list[float]) -> Callable[[float, float], None]:
    def told(share: float, deviation: float) -> None:
        noise.append(deviation)
        if len(noise) % 10 == 0 or share == 1:
            watch.tell(share, round=len(noise), noise=deviation)

    return told


def weigh(pairs: dict[str, Pair], known: Ratings, held: Ratings) -> dict[str, float]:
    """Weights by least squares on the held-back ratings, pulled a little to 0; equal ones where too few were held."""
    if len(held) < 10 * len(pairs):
        factors = [name for name in pairs if name.startswith("factors")]
        return {name: 1 / len(factors) if name in factors else 0.0 for name in pairs}
    said = torch.stack([pair.scores(held.users, held.items) for pair in pairs.values()], 1)
    squares = said.T @ said + WEIGHT_PENALTY * torch.eye(len(pairs), dtype=REAL)
    found = torch.linalg.solve(squares, said.T @ (held.values - known.mean))
    return dict(zip(pairs, found.tolist(), strict=True))


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


def rank_pair(model: Recommender, ranker: tuple[int, float] | None, taste: float, seed: int) -> Pair:
    """What orders the items for a user: who rated what, and the expected rating beside it."""
    if ranker is None:
        return model.tastes
    found = parts.implicit(model.known, ranker[0], seed, ranker[1])
    return _mixed(found, model, taste)


def _mixed(found: Pair, model: Recommender, taste: float) -> Pair:
    scale = _deviation(found, model.known)
    if taste == 0:
        return found.scaled(1 / scale)
    return stacked([found.scaled(1 / scale), model.tastes.scaled(taste / _deviation(model.tastes, model.known))])


def _deviation(pair: Pair, known: Ratings) -> float:
    return float(pair.scores(known.users, known.items).std()) or 1.0


def _choose_ranker(model: Recommender, held: Ratings, seed: int, seconds: float) -> tuple[tuple[int, float], float]:
    """The way to rank whose lists find most of what the users of `held` went on to rate, by `ndcg@10`, in time."""
    best, chosen, end = -1.0, (RANKERS[0], TASTES[0]), time.monotonic() + seconds
    for ranker in RANKERS:
        if best >= 0 and time.monotonic() > end:
            break
        found = parts.implicit(model.known, ranker[0], seed, ranker[1])
        for taste in TASTES:
            score = _lists(_mixed(found, model, taste), model.known, held)["ndcg@10"]
            if score > best:
                best, chosen = score, (ranker, taste)
    return chosen


def _lists(ranks: Pair, known: Ratings, held: Ratings) -> dict[str, float]:
    chosen = dict(list(chosen_by_user(held.users.tolist(), held.items.tolist()).items())[:JUDGES])
    if not chosen:
        return {"ndcg@10": 0.0, "recall@10": 0.0}
    users = torch.tensor(list(chosen), dtype=torch.long)
    return list_scores(best_items(ranks, known, users).tolist(), list(chosen.values()))


def _errors(known: Ratings, pair: Pair, held: Ratings, low: float, high: float) -> dict[str, float]:
    if len(held) == 0:
        return {}
    errors = (known.mean + pair.scores(held.users, held.items)).clamp(low, high) - held.values
    return {"rmse": float(errors.square().mean().sqrt()), "mae": float(np.abs(errors.numpy()).mean())}
