"""A fitted clustering with the data that it was made of."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from dropforge.contract.results import METRICS
from training_container.encoding import Encoder
from training_container.models.features import plain_features
from training_container.tasks.clustering.fitting import Points, search
from training_container.tasks.clustering.predictor import ClusterPredictor, answer

if TYPE_CHECKING:
    from dropforge.datasets.dataset import Dataset, Rows
    from training_container.budget import Budget
    from training_container.checkpoints import Checkpoints
    from training_container.progress import Progress
    from training_container.tasks.clustering.fitting import Search


@dataclass(frozen=True)
class ClusterModel:
    """The chosen clustering, with the data and all that was tried."""

    dataset: Dataset
    """The data, with the clusters as its classes."""
    encoder: Encoder
    predictor: ClusterPredictor
    search: Search

    def labels(self, rows: Rows) -> np.ndarray:
        """Codes of the clusters, int64 [N]."""
        codes: np.ndarray = answer(self.predictor, self.encoder.encode(rows.columns))[0].argmax(1)
        return codes

    def points(self, rows: Rows) -> np.ndarray:
        """The rows as points, float32 [N, F]."""
        return answer(self.predictor, self.encoder.encode(rows.columns))[1]


def fit_clusters(
    dataset: Dataset, metric: str, budget: Budget, seed: int, progress: Progress, checkpoints: Checkpoints
) -> ClusterModel:
    """The best clustering of the training rows; its clusters are called `1`, `2`, … from the largest.

    Raises:
        JobFault: no clusters are found.
    """
    encoder = Encoder.learn(dataset.columns, dataset.train.columns)
    table = encoder.encode(dataset.train.columns)
    features = plain_features(table, [vocabulary.size for vocabulary in encoder.vocabularies])
    with torch.no_grad():
        train, validation = (
            torch.cat([features(chunk.groups) for chunk in encoder.encode(part.columns).chunks()]).numpy()
            for part in (dataset.train, dataset.validation)
        )
    points = Points(train, validation, metric, METRICS["clustering"][metric], seed, checkpoints)
    result = search(points, budget, progress)
    predictor = ClusterPredictor(tuple(table.groups), features, result.chosen.members)
    return _with_classes(ClusterModel(dataset, encoder, predictor, result))


def _with_classes(model: ClusterModel) -> ClusterModel:
    """The model with its clusters as the classes of its data, counted in the profile."""
    classes = tuple(str(number + 1) for number in range(model.search.chosen.clusters))
    dataset = dataclasses.replace(model.dataset, classes=classes)
    counts = np.bincount(model.labels(dataset.train), minlength=len(classes)).tolist()
    target = {**dataset.profile["target"], "classes": list(classes), "counts": dict(zip(classes, counts, strict=True))}
    profile = {**dataset.profile, "target": target}
    return dataclasses.replace(model, dataset=dataclasses.replace(dataset, profile=profile))
