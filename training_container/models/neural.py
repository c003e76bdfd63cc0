"""A neural model for tables: piecewise linear numbers and embedded codes into packed ensembles, one a fold.

Configurations that one program can train are trained together: on a GPU they cost little more than one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from training_container.models import spread
from training_container.models.body import Answer, Body, ClassTail, RegressionTail
from training_container.models.course import Trainer
from training_container.models.family import Fitted
from training_container.models.network import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import optuna

    from training_container.models.course import Trained
    from training_container.models.family import After, Problem
    from training_container.watch import Budget, Watch

ENSEMBLES = {"cuda": 32, "cpu": 5}
"""How many are trained at once: a GPU would wait for the steps of fewer, a CPU is busy with those of one fit."""


@dataclass(frozen=True)
class Neural:
    """The packed ensembles."""

    settings: Settings = field(default_factory=Settings)
    name: str = "neural"
    tasks: frozenset[str] = frozenset({"regression", "binary", "multiclass"})

    def fit(self, problem: Problem, budget: Budget, watch: Watch,
            after: Callable[[int, float], None] | None = None) -> Fitted:  # fmt: skip
        """One training of all folds, of at least one epoch."""
        fitted = self.fit_together([self], problem, budget, watch, None if after is None else _of_one(after))[0]
        assert fitted is not None  # nothing gives it up
        return fitted

    @staticmethod
    def fit_together(families: Sequence[Neural], problem: Problem, budget: Budget, watch: Watch,
                     after: After | None = None) -> list[Fitted | None]:  # fmt: skip
        """One training of all folds under the settings of each, which are alike in `shared`; None of those given up."""
        several = [family._settings_for(len(problem.rows)) for family in families]
        name = families[0].name if len(families) == 1 else f"{families[0].name}-and-{len(families) - 1}"
        places = spread.train(problem, several, name, budget, watch, after)
        whole = [[part for part in parts if part is not None] for parts in zip(*places, strict=True)]
        return [_fitted(problem, settings, parts) if parts else None
                for settings, parts in zip(several, whole, strict=True)]  # fmt: skip

    def worth(self, problem: Problem, budget: Budget, fitted: Mapping[str, Fitted]) -> bool:  # noqa: ARG002  # CatBoost does
        """Whether there is time for the whole course: networks that are cut are seldom chosen."""
        settings = self._settings_for(len(problem.rows))
        epoch = Trainer(problem, [settings], self.name).pace()
        return epoch * settings.epochs < budget.left

    @property
    def shared(self) -> tuple[str, ...]:
        """What `tuned` suggests that must be the same for all that are fitted together."""
        return ("width", "layers", "bins")

    def company(self, problem: Problem) -> int:
        """How many configurations are best fitted together."""
        return max(1, ENSEMBLES[problem.device.type] // len(problem.folds))

    def tuned(self, trial: optuna.Trial, name: str) -> Neural:
        """The family at the settings that `trial` suggests."""
        return Neural(replace(
            self.settings,
            width=trial.suggest_int("width", 48, 192, step=16),
            layers=trial.suggest_int("layers", 1, 3),
            dropout=trial.suggest_float("dropout", 0.0, 0.3),
            bins=trial.suggest_int("bins", 8, 64, log=True),
            rate=trial.suggest_float("rate", 1e-3, 8e-3, log=True),
            decay=trial.suggest_float("decay", 1e-4, 1e-1, log=True),
        ), name)  # fmt: skip

    @staticmethod
    def grid() -> dict[str, list[Any]]:
        """The values of a grid search, by the names that `tuned` suggests."""
        return {"width": [64, 128], "layers": [2, 3], "dropout": [0.0, 0.1], "bins": [16, 48], "rate": [2e-3, 5e-3],
                "decay": [1e-2]}  # fmt: skip

    def _settings_for(self, rows: int) -> Settings:
        """Smaller batches and more patience for few rows, so that there are steps enough; larger batches for many."""
        given = self.settings
        if rows < 5000:
            return replace(given, batch=max(32, given.batch // 4), patience=given.patience + 4)
        return replace(given, batch=given.batch * 4) if rows > 100_000 else given


def _of_one(after: Callable[[int, float], None]) -> After:
    """For the only configuration of a training; it is given up by what `after` raises alone."""

    def told(epoch: int, losses: Mapping[int, float]) -> tuple[()]:
        after(epoch, losses[0])
        return ()

    return told


def _fitted(problem: Problem, settings: Settings, parts: Sequence[Trained]) -> Fitted:
    """The bag of all folds, from what each device has trained of it."""
    scale = problem.scale
    tail = ClassTail() if scale is None else RegressionTail(scale)
    answers = spread.out_of_fold(problem, tail, parts)
    core = spread.whole(problem, settings, parts)
    core.embedding.settle(problem.rows.codes)
    body = Body(tuple(problem.rows.groups), Answer(core, tail)).to(problem.device)
    curves = {f"{name}_loss": spread.curve(parts, name) for name in ("train", "validation")}
    log = {} if scale is None else {"log_target": scale.log}
    told = {**vars(settings), "epochs": len(curves["train_loss"]), "seed": problem.seed, **log}
    return Fitted(body, answers, problem.score(answers), told, curves)
