"""The rows that families of models learn from, how they are dealt into folds, and how answers are scored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dropforge.metrics import scores as metrics

if TYPE_CHECKING:
    import torch

    from dropforge.contract.tasks import Direction, Task
    from training_container.checkpoints import Checkpoints
    from training_container.encoding import Table


@dataclass(frozen=True)
class TrainingData:
    """Encoded rows on the training device, how they are dealt into folds, and how answers are scored."""

    task: Task
    metric: str
    direction: Direction
    classes: int
    """Number of classes; 0 for regression."""
    sizes: tuple[int, ...]
    """Size of each coded column's vocabulary."""
    rows: Table
    target: np.ndarray
    """[N], float64 values or int64 class codes."""
    fold: np.ndarray
    """[N], int64: the fold that each row is held out of."""
    seed: int
    device: torch.device
    checkpoints: Checkpoints

    @cached_property
    def folds(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Row numbers to learn from and to answer, a pair a fold."""
        return [
            (np.flatnonzero(self.fold != number), np.flatnonzero(self.fold == number))
            for number in range(int(self.fold.max()) + 1)
        ]

    @property
    def outputs(self) -> int:
        """Width of the margins: 1 for a value and for two classes, one a class otherwise."""
        return self.classes if self.classes > 2 else 1

    def score(self, answers: np.ndarray, rows: np.ndarray | slice = slice(None)) -> dict[str, float]:
        """Every metric of answers for these rows."""
        return metrics.scores(self.task, self.target[rows], answers)

    def loss(self, answers: np.ndarray, rows: np.ndarray) -> float:
        """The metric that decides, of answers for these rows, so that lower is better."""
        score = self.score(answers, rows)[self.metric]
        return -score if self.direction == "higher" else score

    def better(self, one: dict[str, float], other: dict[str, float]) -> bool:
        """Whether the scores `one` beat `other` in the metric that decides."""
        return metrics.better(self.direction, one[self.metric], other[self.metric])

    def empty(self) -> np.ndarray:
        """Zeros for one answer a row: float32 [N] or [N, classes]."""
        return np.zeros((len(self.target), self.classes) if self.classes else len(self.target), np.float32)


def assign_folds(target: np.ndarray, classes: int, folds: int = 5, is_repeat: np.ndarray | None = None) -> np.ndarray:
    """The fold of each row, [N]: in turn over the given order, class by class so that each has its share.

    The rows come in the order of their content's hash, so that the folds follow from content alone. `is_repeat`
    [N] says which rows are as the one before them: these have its fold.
    """
    fold = np.empty(len(target), np.int64)
    first = np.ones(len(target), bool) if is_repeat is None else ~is_repeat
    for code in range(max(classes, 1)):
        rows = np.flatnonzero(first & (target == code)) if classes else np.flatnonzero(first)
        fold[rows] = (np.arange(len(rows)) + code) % folds
    return fold[np.maximum.accumulate(np.where(first, np.arange(len(target)), 0))]


def repeats(table: Table, target: np.ndarray) -> np.ndarray:
    """Which rows equal the one before them, target included, bool [N]: copies under other ids lie side by side."""
    is_repeat: np.ndarray = np.r_[False, target[1:] == target[:-1]]
    for part in (table.numbers, table.codes, table.dates):
        values = part.cpu().numpy().reshape(len(part), -1)
        same = values[1:] == values[:-1]
        if values.dtype.kind == "f":
            same |= np.isnan(values[1:]) & np.isnan(values[:-1])
        is_repeat[1:] &= same.all(axis=1)
    return is_repeat
