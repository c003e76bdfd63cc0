"""Scores of a recommender on the hold-out, beside the mean rating and the most rated items."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from dropforge.contract.baseline import Baseline
from dropforge.contract.results import Candidate
from dropforge.metrics.evaluation import Ratings, beyond_chance, of_popularity, of_ratings
from training_container.scoring.notes import notes
from training_container.tasks.recommendation.tables import list_requests
from training_container.tasks.task import metrics_of

if TYPE_CHECKING:
    from dropforge.contract.results import Metrics
    from dropforge.datasets.dataset import Rows
    from training_container.tasks.recommendation.recommender import RecommenderModel
    from training_container.tasks.recommendation.tables import Tables

FEW_USERS = 100
"""Hold-out users below which every score is said to be rough."""


def measure(model: RecommenderModel, metric: str, seed: int) -> Metrics:
    """The scores on the hold-out, once, beside those of the mean rating and of the most rated items."""
    rows, tables = model.dataset.holdout, model.tables
    ratings = ratings_of(rows, tables)
    users = np.array(list(ratings.chosen), dtype=object)
    ours = of_ratings(ratings, tables.answer(rows.columns).ratings.astype(np.float64), shown(tables, users))
    trivial = of_popularity(ratings, baseline_of(model, rows))
    comparison = beyond_chance(ours, trivial, metric, seed)
    blended = model.blended
    metrics = metrics_of(
        "recommendation",
        metric,
        comparison,
        chosen="blend",
        validation=blended.validation["blend"],
        candidates=tuple(
            Candidate(
                name, scores, round(blended.seconds.get(name, 0.0), 3), blended.settings if name == "blend" else {}
            )
            for name, scores in blended.validation.items()
        ),
        rows=dict(model.dataset.counts),
    )
    return replace(metrics, notes=(*notes(metrics, rows.target, rows.target, ()), *few_users(ours.units)))


def ratings_of(rows: Rows, tables: Tables) -> Ratings:
    """The rows as a recommender is scored by them."""
    return Ratings(rows.columns[tables.user.column].tolist(), rows.columns[tables.item.column].tolist(), rows.target)


def baseline_of(model: RecommenderModel, rows: Rows) -> Baseline:
    """The mean rating, and the most rated items for every user of these rows."""
    users = list(dict.fromkeys(rows.columns[model.tables.user.column].tolist()))
    lists = popular(model.tables, np.array(users, dtype=object))
    return Baseline(
        "recommendation",
        mean=float(model.tables.mean),
        median=float(np.median(model.dataset.learning.target)),
        lists={str(user): tuple(items) for user, items in zip(users, lists, strict=True)},
    )


def shown(tables: Tables, users: np.ndarray) -> list[list[str]]:
    """What each user [N] is shown."""
    items = np.array(tables.item_names(), dtype=object)
    return [[name for name in row if name] for row in items[tables.answer(list_requests(users, tables)).items].tolist()]


def popular(tables: Tables, users: np.ndarray) -> list[list[str]]:
    """The most rated items that each user [N] has not rated: what knows nothing of anybody shows."""
    ranks, items = tables.item_ranks[:, -1], tables.item_names()
    lists = []
    for user in tables.user.encode(users).tolist():
        scores = ranks.clone()
        scores[tables.seen[tables.starts[user] : tables.starts[user + 1]]] = -torch.inf
        lists.append([items[place + 2] for place in scores.topk(tables.shown).indices.tolist()])
    return lists


def few_users(users: int) -> tuple[str, ...]:
    """A note that the hold-out has few users, if it does."""
    if users >= FEW_USERS:
        return ()
    return (
        f"Only {users:,} users have ratings in the hold-out: every score is rough, read its interval instead. "
        f"Drop the ratings of {FEW_USERS:,} users or more.",
    )
