"""The interface of a family of models, and the problem that it solves: further families are added here.

A family fits one model a fold on the other folds' rows and answers each row by the model that has not seen it: these
out-of-fold answers choose settings, weigh the ensemble and calibrate it. What serves is the mean of the folds' models.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from training_container.models.data import TrainingData
from training_container.models.forest import TreeInputs
from training_container.models.scales import target_scales
from training_container.models.scaling import choose_scale

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import numpy as np
    import optuna
    import torch

    from training_container.budget import Budget
    from training_container.models.predictor import Predictor
    from training_container.models.scales import TargetScale
    from training_container.progress import Progress

    After = Callable[[int, Mapping[int, float]], Collection[int]]
    """A callback for the step and the loss of several configurations, by number; it returns those to give up."""


@dataclass(frozen=True)
class Problem(TrainingData):
    """Training data with what several families derive from it, worked out once."""

    def reseeded(self) -> Problem:
        """The same problem under the next seed; what was derived is kept."""
        other = replace(self, seed=self.seed + 1)
        known = {name: value for name, value in vars(self).items() if name not in self.__dataclass_fields__}
        vars(other).update(known)
        return other

    def on(self, device: torch.device) -> Problem:
        """The same problem with its rows on another device; the scale is kept."""
        other = replace(self, rows=self.rows.to(device), device=device)
        vars(other)["scale"] = self.scale
        return other

    @cached_property
    def tree_inputs(self) -> TreeInputs:
        """The columns that all forests of this problem read."""
        return TreeInputs(self)

    @cached_property
    def scale(self) -> TargetScale | None:
        """The scale on which families but the linear ones fit a regression target; None for classes."""
        if self.classes:
            return None
        scales = target_scales(self.target)
        return scales[0] if len(scales) == 1 else choose_scale(self, self.tree_inputs, scales)

    def prepare(self) -> None:
        """Computes now what families share, so that it takes no time of the first family that needs it."""
        _ = self.tree_inputs, self.scale


@dataclass(frozen=True)
class Fitted:
    """One family's bag of models, with what the report shows of it."""

    predictor: Predictor
    answers: np.ndarray
    """Out-of-fold: each row of the problem answered by the model that has not seen it."""
    validation: dict[str, float]
    """Every metric of `answers`."""
    settings: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, list[float]] = field(default_factory=dict)
    """Name of a curve (`J`, `train_loss`, `validation_loss`) to its value at each iteration or epoch."""


class Family(Protocol):
    """A family of models; it chooses its own settings by out-of-fold scores and never sees the hold-out."""

    @property
    def name(self) -> str:
        """The family's name in reports and checkpoints."""
        ...

    @property
    def tasks(self) -> frozenset[str]:
        """The tasks that the family can learn."""
        ...

    def fit(self, problem: Problem, budget: Budget, progress: Progress) -> Fitted:
        """The family's best model within the budget; every family must give one, however little time is left."""
        ...


@runtime_checkable
class Conditional(Protocol):
    """A family that is fitted only where it is expected to help."""

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
        """The callback for `fit`, which raises `Outraced` where the rival's fit went far better."""
        ...

    def fit(self, problem: Problem, budget: Budget, progress: Progress,
            after: Callable[[int, float], None] | None = None) -> Fitted:  # fmt: skip
        """Fits the flavour, see `Tunable.fit`."""
        ...


@runtime_checkable
class Tunable(Protocol):
    """A family whose settings can be searched, and whose fits differ by the seed."""

    @property
    def name(self) -> str:
        """The family's name in reports and checkpoints."""
        ...

    def tuned(self, trial: optuna.Trial, name: str) -> Tunable:
        """The family, under another name, at the settings that `trial` suggests."""
        ...

    def grid(self) -> dict[str, list[Any]]:
        """The values of a grid search, by the names that `tuned` suggests."""
        ...

    def fit(self, problem: Problem, budget: Budget, progress: Progress,
            after: Callable[[int, float], None] | None = None) -> Fitted:  # fmt: skip
        """Fits the family, see `Family.fit`; `after(step, loss)`, lower is better, may raise to end the fit."""
        ...


@runtime_checkable
class Packed(Tunable, Protocol):
    """A tunable family that trains several configurations as one program."""

    @property
    def shared(self) -> tuple[str, ...]:
        """The settings of `tuned` that must be the same for all configurations that are fitted together."""
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
    for candidate in fitted[1:]:
        if problem.better(candidate.validation, chosen.validation):
            chosen = candidate
    return chosen
