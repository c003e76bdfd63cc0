"""A fitted recommender with the data that it was made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dropforge.datasets.ratings import role_names
from training_container.tasks.recommendation.blend import Blended, fit
from training_container.tasks.recommendation.tables import Tables, as_ratings, tables_of, vocabulary

if TYPE_CHECKING:
    from dropforge.datasets.dataset import Dataset
    from training_container.budget import Budget
    from training_container.checkpoints import Checkpoints
    from training_container.progress import Progress


@dataclass(frozen=True)
class RecommenderModel:
    """The recommender, as it was fitted and as it answers."""

    dataset: Dataset
    blended: Blended
    tables: Tables


def fit_recommender(
    dataset: Dataset, budget: Budget, seed: int, progress: Progress, checkpoints: Checkpoints
) -> RecommenderModel:
    """The recommender of training and validation rows."""
    parts = (dataset.train, dataset.validation)
    user, item = (vocabulary(name, *(part.columns[name] for part in parts)) for name in role_names(dataset.columns))
    known, held = (as_ratings(part, user, item) for part in parts)
    blended = fit(known, held, seed=seed, budget=budget, progress=progress, checkpoints=checkpoints)
    return RecommenderModel(dataset, blended, tables_of(blended.model, user, item))
