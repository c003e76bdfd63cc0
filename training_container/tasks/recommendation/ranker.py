"""How items are ordered for a user: by who rated what, and the expected rating beside it; chosen by its lists."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from dropforge.metrics.lists import chosen_by_user, list_scores
from training_container.tasks.recommendation import parts
from training_container.tasks.recommendation.pairs import Pair, stacked
from training_container.tasks.recommendation.ranking import best_items

if TYPE_CHECKING:
    from training_container.budget import Budget
    from training_container.checkpoints import Checkpoints
    from training_container.tasks.recommendation.ratings import Ratings

RANKERS = tuple((rank, popular) for popular in (0.0, 0.25, 0.5) for rank in (32, 16, 64, 8))
"""Dimensions, and how far popular items are held back (`parts.implicit`)."""

RATING_WEIGHTS = (0.0, 0.1, 0.3)
"""How much the expected rating counts beside, in standard deviations."""

MOST_JUDGING_USERS = 1_000
"""Users at most whose lists choose the way to rank."""

RANKING_SCORES_FILE = "ranking.json"


@dataclass(frozen=True)
class Ranker:
    """One way to rank."""

    dimensions: int
    popular: float
    taste: float

    def pair(self, known: Ratings, tastes: Pair, seed: int) -> Pair:
        """What orders the items: of all that was rated, and of the pair that tells the rating."""
        return mixed(parts.implicit(known, self.dimensions, seed, self.popular), tastes, known, self.taste)


def mixed(ranking: Pair, tastes: Pair, known: Ratings, taste: float) -> Pair:
    """Both in standard deviations over the known ratings, `tastes` at the weight `taste`."""
    scaled = ranking.scaled(1 / _deviation(ranking, known))
    return stacked([scaled, tastes.scaled(taste / _deviation(tastes, known))]) if taste else scaled


def _deviation(pair: Pair, known: Ratings) -> float:
    return float(pair.scores(known.users, known.items).std()) or 1.0


def choose_ranker(
    known: Ratings, tastes: Pair, held: Ratings, seed: int, budget: Budget, checkpoints: Checkpoints
) -> Ranker:
    """The way to rank whose lists find most of what the users of `held` went on to rate, by `ndcg@10`.

    The first is always tried, another where there is time for the longest so far; their scores are kept.
    """
    scores: dict[str, list[float]] = json.loads(checkpoints.read(RANKING_SCORES_FILE) or b"{}")
    longest = 0.0
    for dimensions, popular in RANKERS:
        name, before = f"{dimensions} {popular}", budget.spent
        if name in scores:
            continue
        if scores and budget.left <= longest:
            break
        implicit = parts.implicit(known, dimensions, seed, popular)
        scores[name] = [
            lists(mixed(implicit, tastes, known, taste), known, held)["ndcg@10"] for taste in RATING_WEIGHTS
        ]
        longest = max(longest, budget.spent - before)
        checkpoints.keep(RANKING_SCORES_FILE, json.dumps(scores).encode())
    ways = [
        (score, Ranker(dimensions, popular, taste))
        for dimensions, popular in RANKERS
        for score, taste in zip(scores.get(f"{dimensions} {popular}", ()), RATING_WEIGHTS, strict=False)
    ]
    return max(ways, key=lambda way: way[0])[1]


def lists(ranks: Pair, known: Ratings, held: Ratings) -> dict[str, float]:
    """`ndcg@10` and `recall@10` of the lists of at most `MOST_JUDGING_USERS` users of `held`."""
    chosen = dict(list(chosen_by_user(held.users.tolist(), held.items.tolist()).items())[:MOST_JUDGING_USERS])
    if not chosen:
        return {"ndcg@10": 0.0, "recall@10": 0.0}
    users = torch.tensor(list(chosen), dtype=torch.long)
    return list_scores(best_items(ranks, known, users).tolist(), list(chosen.values()))
