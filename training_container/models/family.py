"""What a family of models is given and gives back: the seam where further families come in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from training_container import metrics
from training_container.models.body import predict

if TYPE_CHECKING:
    import numpy as np
    import torch

    from dropforge.contract.results import Direction
    from dropforge.contract.schema import Task
    from training_container.encoding import Table
    from training_container.models.body import Body
    from training_container.watch import Budget, Watch


@dataclass(frozen=True)
class Problem:
    """Encoded rows on the training device, and how answers are scored."""

    task: Task
    metric: str
    direction: Direction
    classes: int
    """Number of classes; 0 for regression."""
    sizes: tuple[int, ...]
    """Size of each coded column's vocabulary."""
    train: Table
    train_target: np.ndarray
    """[N], float64 values or int64 class codes."""
    validation: Table
    validation_target: np.ndarray
    seed: int
    device: torch.device

    def validate(self, body: Body) -> dict[str, float]:
        """Every metric of `body` on the validation rows."""
        return metrics.scores(self.task, self.validation_target, predict(body, self.validation))

    def better(self, one: dict[str, float], other: dict[str, float]) -> bool:
        """Whether the scores `one` beat `other` in the metric that decides."""
        return metrics.better(self.direction, one[self.metric], other[self.metric])


@dataclass(frozen=True)
class Fitted:
    """One trained model with what the report tells of it."""

    body: Body
    validation: dict[str, float]
    settings: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, list[float]] = field(default_factory=dict)
    """Name of a curve (`J`, `train_loss`, `validation_loss`) to its value at each iteration or epoch."""


class Family(Protocol):
    """A way to make a model; it chooses its own settings by validation scores and never sees the hold-out."""

    name: str
    tasks: frozenset[str]

    def fit(self, problem: Problem, budget: Budget, watch: Watch) -> Fitted:
        """The family's best model within the budget; every family must give one, however little time is left."""
        ...


def best(problem: Problem, fitted: list[Fitted]) -> Fitted:
    """The one with the best validation score, the first of equals."""
    chosen = fitted[0]
    for each in fitted[1:]:
        if problem.better(each.validation, chosen.validation):
            chosen = each
    return chosen
