"""What a family of models is given and gives back: the seam where further families come in.

A family fits one model a fold on the other folds' rows and answers each row by the model that has not seen it: these
out-of-fold answers choose settings, weigh the ensemble and calibrate it. What serves is the mean of the folds' models.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from dropforge.metrics import scores as metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import optuna
    import torch

    from dropforge.contract.results import Direction
    from dropforge.contract.schema import Task
    from training_container.budget import Budget
    from training_container.checkpoints import Checkpoints
    from training_container.encoding import Table
    from training_container.models.forest import TreeInputs
    from training_container.models.predictor import Predictor, TargetScale
    from training_container.progress import Progress

    After = Callable[[int, Mapping[int, float]], Collection[int]]
    """Is told the step and the loss of each of several configurations, by number; answers those to give up."""


@dataclass(frozen=True)
class Problem:
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
            (np.flatnonzero(self.fold != each), np.flatnonzero(self.fold == each))
            for each in range(int(self.fold.max()) + 1)
        ]

    def reseeded(self) -> Problem:
        """The same problem under the next seed, with what was worked out for it."""
        other = replace(self, seed=self.seed + 1)
        known = {name: value for name, value in vars(self).items() if name not in self.__dataclass_fields__}
        vars(other).update(known)
        return other

    def on(self, device: torch.device) -> Problem:
        """The same problem with its rows on a device, and the scale that was worked out for it."""
        other = replace(self, rows=self.rows.to(device), device=device)
        vars(other)["scale"] = self.scale
        return other

    @cached_property
    def tree_inputs(self) -> TreeInputs:
        """What all forests of this problem read."""
        from training_container.models.forest import TreeInputs

        return TreeInputs(self)

    @cached_property
    def scale(self) -> TargetScale | None:
        """How families but the linear ones fit a regression target; None for classes."""
        from training_container.models.scaling import choose_scale

        return None if self.classes else choose_scale(self)

    def prepare(self) -> None:
        """Works out now what families share, so that it takes no time of the first that asks."""
        _ = self.tree_inputs, self.scale

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
        """Room for one answer a row: float32 [N] or [N, classes]."""
        return np.zeros((len(self.target), self.classes) if self.classes else len(self.target), np.float32)


def assign_folds(target: np.ndarray, classes: int, folds: int = 5, again: np.ndarray | None = None) -> np.ndarray:
    """The fold of each row, [N]: in turn over the given order, class by class so that each has its share.

    The rows come in the order of their content's hash, so that the folds follow from content alone. `again` [N] says
    which rows are as the one before them: these have its fold.
    """
    found = np.empty(len(target), np.int64)
    first = np.ones(len(target), bool) if again is None else ~again
    for code in range(max(classes, 1)):
        rows = np.flatnonzero(first & (target == code)) if classes else np.flatnonzero(first)
        found[rows] = (np.arange(len(rows)) + code) % folds
    return found[np.maximum.accumulate(np.where(first, np.arange(len(target)), 0))]


def repeats(table: Table, target: np.ndarray) -> np.ndarray:
    """Which rows are read as the one before them, target included, bool [N]: copies under other ids lie so."""
    found: np.ndarray = np.r_[False, target[1:] == target[:-1]]
    for part in (table.numbers, table.codes, table.dates):
        values = part.cpu().numpy().reshape(len(part), -1)
        same = values[1:] == values[:-1]
        if values.dtype.kind == "f":
            same |= np.isnan(values[1:]) & np.isnan(values[:-1])
        found[1:] &= same.all(axis=1)
    return found


@dataclass(frozen=True)
class Fitted:
    """One family's bag of models with what the report tells of it."""

    predictor: Predictor
    answers: np.ndarray
    """Out-of-fold: each row of the problem answered by the model that has not seen it."""
    validation: dict[str, float]
    """Every metric of `answers`."""
    settings: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, list[float]] = field(default_factory=dict)
    """Name of a curve (`J`, `train_loss`, `validation_loss`) to its value at each iteration or epoch."""


class Family(Protocol):
    """A way to make a model; it chooses its own settings by out-of-fold scores and never sees the hold-out."""

    @property
    def name(self) -> str:
        """As reports and checkpoints call it."""
        ...

    @property
    def tasks(self) -> frozenset[str]:
        """What it can learn."""
        ...

    def fit(self, problem: Problem, budget: Budget, progress: Progress) -> Fitted:
        """The family's best model within the budget; every family must give one, however little time is left."""
        ...


@runtime_checkable
class Conditional(Protocol):
    """A family that is left out where it would not pay."""

    def worthwhile(self, problem: Problem, budget: Budget, fitted: Mapping[str, Fitted]) -> bool:
        """Whether it is worth its time on this problem within this budget, after what was `fitted`, by family."""
        ...


@runtime_checkable
class Flavour(Protocol):
    """A family that may be a flavour of another."""

    @property
    def rival(self) -> str | None:
        """The family that it must keep up with; None for one that stands alone."""
        ...

    def race(self, problem: Problem, rival: Fitted) -> Callable[[int, float], None]:
        """What `fit` is to tell how it goes; raises `Outraced` where the rival's fit went far better."""
        ...

    def fit(self, problem: Problem, budget: Budget, progress: Progress,
            after: Callable[[int, float], None] | None = None) -> Fitted:  # fmt: skip
        """As `Tunable.fit`."""
        ...


@runtime_checkable
class Tunable(Protocol):
    """A family whose settings can be searched, and whose fits differ by the seed."""

    @property
    def name(self) -> str:
        """As reports and checkpoints call it."""
        ...

    def tuned(self, trial: optuna.Trial, name: str) -> Tunable:
        """The family, under another name, at the settings that `trial` suggests."""
        ...

    def grid(self) -> dict[str, list[Any]]:
        """The values of a grid search, by the names that `tuned` suggests."""
        ...

    def fit(self, problem: Problem, budget: Budget, progress: Progress,
            after: Callable[[int, float], None] | None = None) -> Fitted:  # fmt: skip
        """As `Family.fit`; `after(step, loss)`, lower is better, may raise to end it."""
        ...


@runtime_checkable
class Packed(Tunable, Protocol):
    """A tunable family that trains several configurations as one program."""

    @property
    def shared(self) -> tuple[str, ...]:
        """What `tuned` suggests that must be the same for all that are fitted together."""
        ...

    def pack_size(self, problem: Problem) -> int:
        """How many configurations are best fitted together."""
        ...

    def fit_together(self, families: Sequence[Any], problem: Problem, budget: Budget, progress: Progress,
                     after: After | None = None) -> list[Fitted | None]:  # fmt: skip
        """A bag of each of the families; None of those that `after` gives up."""
        ...


def best(problem: Problem, fitted: list[Fitted]) -> Fitted:
    """The one with the best validation score, the first of equals."""
    chosen = fitted[0]
    for each in fitted[1:]:
        if problem.better(each.validation, chosen.validation):
            chosen = each
    return chosen
