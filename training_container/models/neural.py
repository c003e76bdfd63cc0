"""A neural model for tables: embedded numbers and codes into packed ensembles, one a fold.

In two flavours that err differently: numbers are piecewise linear, or waves whose frequencies are learned.
Configurations that one program can train are trained together: on a GPU they cost little more than one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from training_container.models import spread
from training_container.models.family import Fitted
from training_container.models.network import Settings
from training_container.models.packed_training import Trainer
from training_container.models.predictor import Answer, ClassTail, Predictor
from training_container.models.racing import race_epochs
from training_container.models.scales import RegressionTail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import optuna

    from training_container.budget import Budget
    from training_container.models.family import After, Problem
    from training_container.models.packed_training import Trained
    from training_container.progress import Progress

ENSEMBLES = {"cuda": 32, "cpu": 5}
"""How many are trained at once: a GPU would wait for the steps of fewer, a CPU is busy with those of one fit."""

HOPEFUL = 0.15
"""Part of the best loss so far by which the plain flavour may be behind, for the other one to be tried."""


@dataclass(frozen=True)
class Neural:
    """The packed ensembles."""

    settings: Settings = field(default_factory=Settings)
    name: str = "neural"
    rival: str | None = None
    """The flavour that this one must keep up with."""
    tasks: frozenset[str] = frozenset({"regression", "binary", "multiclass"})

    @classmethod
    def periodic(cls) -> Neural:
        """The flavour whose numbers are waves."""
        return cls(Settings(waves=16), "neural-periodic", rival="neural")

    @staticmethod
    def race(problem: Problem, rival: Fitted) -> Callable[[int, float], None]:  # noqa: ARG004  # others do
        """Against the rival's first epochs."""
        return race_epochs(rival)

    def fit(self, problem: Problem, budget: Budget, progress: Progress,
            after: Callable[[int, float], None] | None = None) -> Fitted:  # fmt: skip
        """One training of all folds, of at least one epoch."""
        fitted = self.fit_together([self], problem, budget, progress, None if after is None else _of_single(after))[0]
        assert fitted is not None  # nothing gives it up
        return fitted

    @staticmethod
    def fit_together(families: Sequence[Neural], problem: Problem, budget: Budget, progress: Progress,
                     after: After | None = None) -> list[Fitted | None]:  # fmt: skip
        """One training of all folds under the settings of each, which are alike in `shared`; None of those given up."""
        several = [family._settings_for(len(problem.rows)) for family in families]
        name = families[0].name if len(families) == 1 else f"{families[0].name}-and-{len(families) - 1}"
        places = spread.train(problem, several, name, budget, progress, after)
        whole = [[part for part in parts if part is not None] for parts in zip(*places, strict=True)]
        return [_fitted(problem, settings, parts) if parts else None
                for settings, parts in zip(several, whole, strict=True)]  # fmt: skip

    def worthwhile(self, problem: Problem, budget: Budget, fitted: Mapping[str, Fitted]) -> bool:
        """Whether there is time for the whole training: networks that are cut are seldom chosen.

        For a flavour also whether there are numbers, and the rival was near enough to the best.
        """
        if self.rival is not None and not (_has_numbers(problem) and _hopeful(problem, fitted, self.rival)):
            return False
        settings = self._settings_for(len(problem.rows))
        epoch = Trainer(problem, [settings], self.name).pace()
        return epoch * settings.epochs < budget.left

    @property
    def shared(self) -> tuple[str, ...]:
        """What `tuned` suggests that must be the same for all that are fitted together."""
        return ("width", "layers", *(("waves", "frequency") if self.settings.waves else ("bins",)))

    def pack_size(self, problem: Problem) -> int:
        """How many configurations are best fitted together."""
        return max(1, ENSEMBLES[problem.device.type] // len(problem.folds))

    def tuned(self, trial: optuna.Trial, name: str) -> Neural:
        """The family at the settings that `trial` suggests."""
        suggested: dict[str, Any] = {
            "width": trial.suggest_int("width", 48, 192, step=16),
            "layers": trial.suggest_int("layers", 1, 3),
            "dropout": trial.suggest_float("dropout", 0.0, 0.3),
            "rate": trial.suggest_float("rate", 1e-3, 8e-3, log=True),
            "decay": trial.suggest_float("decay", 1e-4, 1e-1, log=True),
        }
        if self.settings.waves:
            suggested["waves"] = trial.suggest_int("waves", 8, 32, step=8)
            suggested["frequency"] = trial.suggest_float("frequency", 0.03, 0.3, log=True)
        else:
            suggested["bins"] = trial.suggest_int("bins", 8, 64, log=True)
        return replace(self, name=name, settings=replace(self.settings, **suggested))

    def grid(self) -> dict[str, list[Any]]:
        """The values of a grid search, by the names that `tuned` suggests."""
        numbers: dict[str, list[Any]] = (
            {"waves": [16], "frequency": [0.05, 0.2]} if self.settings.waves else {"bins": [16, 48]}
        )
        return {"width": [64, 128], "layers": [2, 3], "dropout": [0.0, 0.1], **numbers, "rate": [2e-3, 5e-3],
                "decay": [1e-2]}  # fmt: skip

    def _settings_for(self, rows: int) -> Settings:
        """Smaller batches and more patience for few rows, so that there are steps enough; larger batches for many."""
        settings = self.settings
        if rows < 5000:
            return replace(settings, batch=max(32, settings.batch // 4), patience=settings.patience + 4)
        return replace(settings, batch=settings.batch * 4) if rows > 100_000 else settings


def _has_numbers(problem: Problem) -> bool:
    """Whether two flavours of numbers are two."""
    return not {"numbers", "dates"}.isdisjoint(problem.rows.groups)


def _hopeful(problem: Problem, fitted: Mapping[str, Fitted], rival: str) -> bool:
    """Whether the rival was fitted and came near the best."""
    losses = {name: problem.loss(fit.answers, np.arange(len(fit.answers))) for name, fit in fitted.items()}
    best = min(losses.values())
    return rival in losses and losses[rival] - best <= HOPEFUL * abs(best)


def _of_single(after: Callable[[int, float], None]) -> After:
    """For the only configuration of a training; it is given up by what `after` raises alone."""

    def report(epoch: int, losses: Mapping[int, float]) -> tuple[()]:
        after(epoch, losses[0])
        return ()

    return report


def _fitted(problem: Problem, settings: Settings, parts: Sequence[Trained]) -> Fitted:
    """The bag of all folds, from what each device has trained of it."""
    scale = problem.scale
    tail = (ClassTail() if scale is None else RegressionTail(scale)).to(problem.device)
    answers = spread.out_of_fold(problem, tail, parts)
    core = spread.whole(problem, settings, parts)
    core.embedding.settle(problem.rows.codes)
    predictor = Predictor(tuple(problem.rows.groups), Answer(core, tail)).to(problem.device)
    curves = {f"{name}_loss": spread.curve(parts, name) for name in ("train", "validation")}
    log = {} if scale is None else {"log_target": scale.log}
    all_settings = {**vars(settings), "epochs": len(curves["train_loss"]), "seed": problem.seed, **log}
    return Fitted(predictor, answers, problem.score(answers), all_settings, curves)
