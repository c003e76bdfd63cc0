"""A neural model for tables: piecewise linear numbers and embedded codes into packed ensembles, one a fold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from training_container.models import spread
from training_container.models.body import Answer, Body, ClassTail, RegressionTail
from training_container.models.course import Trainer
from training_container.models.family import Fitted
from training_container.models.network import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import optuna

    from training_container.models.family import Problem
    from training_container.watch import Budget, Watch


@dataclass(frozen=True)
class Neural:
    """The packed ensembles."""

    settings: Settings = field(default_factory=Settings)
    name: str = "neural"
    tasks: frozenset[str] = frozenset({"regression", "binary", "multiclass"})

    def fit(self, problem: Problem, budget: Budget, watch: Watch,
            after: Callable[[int, float], None] | None = None) -> Fitted:  # fmt: skip
        """One training of all folds, of at least one epoch."""
        scale, settings = problem.scale, self._settings_for(len(problem.rows))
        parts = spread.train(problem, settings, self.name, budget, watch, after)
        tail = ClassTail() if scale is None else RegressionTail(scale)
        answers = spread.out_of_fold(problem, tail, parts)
        core = spread.whole(problem, settings, parts)
        core.embedding.settle(problem.rows.codes)
        body = Body(tuple(problem.rows.groups), Answer(core, tail)).to(problem.device)
        curves = {f"{name}_loss": spread.curve(parts, name) for name in ("train", "validation")}
        log = {} if scale is None else {"log_target": scale.log}
        told = {**vars(settings), "epochs": len(curves["train_loss"]), "seed": problem.seed, **log}
        return Fitted(body, answers, problem.score(answers), told, curves)

    def worth(self, problem: Problem, budget: Budget, fitted: Mapping[str, Fitted]) -> bool:  # noqa: ARG002  # CatBoost does
        """Whether there is time for the whole course: networks that are cut are seldom chosen."""
        settings = self._settings_for(len(problem.rows))
        epoch = Trainer(problem, settings, self.name).pace()
        return epoch * settings.epochs < budget.left

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
