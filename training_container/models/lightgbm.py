"""LightGBM in three flavours that err differently: plain, with random thresholds, and with pairs of numbers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np

from training_container.models.bagging import Grown, grow_bag
from training_container.models.racing import race
from training_container.models.trees import Trees, of_lightgbm
from training_container.threads import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import optuna

    from training_container.budget import Budget
    from training_container.models.bagging import Part
    from training_container.models.family import Fitted, Problem
    from training_container.progress import Progress

MOST_ROUNDS = 3000
PATIENCE_ROUNDS = 50
"""Rounds without a better loss of the held rows before a booster stops."""

OBJECTIVES = {"regression": ("regression", "l2"), "binary": ("binary", "binary_logloss"),
              "multiclass": ("multiclass", "multi_logloss"), "mae": ("regression_l1", "l1")}  # fmt: skip
"""Task, or the metric `mae`, to what is minimised and what stops early."""


@dataclass(frozen=True)
class LightGBMBooster:
    """A model as LightGBM writes it: text."""

    text: str
    outputs: int

    @cached_property
    def model(self) -> lightgbm.Booster:
        """The loaded model."""
        return lightgbm.Booster(model_str=self.text)

    def margins(self, dense: np.ndarray) -> np.ndarray:
        """float64 [N, outputs]."""
        return np.asarray(self.model.predict(dense, raw_score=True)).reshape(len(dense), self.outputs)

    def trees(self) -> Trees:
        """The model as flat arrays."""
        return of_lightgbm(self.text, self.outputs)

    def content(self) -> bytes:
        """What `LightGBM.load` reads."""
        return self.text.encode()


@dataclass(frozen=True)
class LightGBM:
    """A family and its grower; `settings` are LightGBM's own parameters over the defaults."""

    name: str = "lightgbm"
    settings: dict[str, Any] = field(default_factory=dict)
    pairs: bool = False
    """Whether trees read sums and differences of pairs of numbers too."""
    rival: str | None = None
    """The flavour that this one must keep up with."""
    most_rows: int | None = None
    """More rows than this, and the flavour is not worth its time."""
    tasks: frozenset[str] = frozenset({"regression", "binary", "multiclass"})

    @classmethod
    def extra(cls) -> LightGBM:
        """The flavour with random thresholds."""
        return cls("lightgbm-extra", {"extra_trees": True, "feature_fraction": 0.9, "learning_rate": 0.1},
                   most_rows=10_000)  # fmt: skip

    @classmethod
    def oblique(cls) -> LightGBM:
        """The flavour with pairs of numbers."""
        return cls("lightgbm-oblique", {"feature_fraction": 0.4, "learning_rate": 0.03, "num_leaves": 31,
                                        "min_data_in_leaf": 5}, pairs=True, rival="lightgbm")  # fmt: skip

    def fit(self, problem: Problem, budget: Budget, progress: Progress,
            after: Callable[[int, float], None] | None = None) -> Fitted:  # fmt: skip
        """A bag of one booster a fold."""
        return grow_bag(problem, self, budget, progress, after)

    def race(self, problem: Problem, rival: Fitted) -> Callable[[int, float], None]:
        """Against the rival's first folds."""
        return race(problem, rival)

    def worthwhile(self, problem: Problem, budget: Budget, fitted: Mapping[str, Fitted]) -> bool:  # noqa: ARG002  # others do
        """Whether the rows are few enough."""
        return self.most_rows is None or len(problem.target) <= self.most_rows

    def tuned(self, trial: optuna.Trial, name: str) -> LightGBM:
        """The family at the settings that `trial` suggests."""
        suggested = {
            "num_leaves": trial.suggest_int("num_leaves", 8, 255, log=True),
            "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.1, log=True),
            "feature_fraction": trial.suggest_float("feature_fraction", 0.3, 1.0),
            "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
            "lambda_l2": trial.suggest_float("lambda_l2", 0.1, 30.0, log=True),
            "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 3, 100, log=True),
        }
        return replace(self, name=name, settings={**self.settings, **suggested})

    @staticmethod
    def grid() -> dict[str, list[Any]]:
        """The values of a grid search, by the names that `tuned` suggests."""
        return {"num_leaves": [15, 31, 63, 127], "learning_rate": [0.03, 0.06], "feature_fraction": [0.4, 0.8],
                "bagging_fraction": [0.9], "lambda_l2": [1.0, 10.0], "min_data_in_leaf": [5, 20]}  # fmt: skip

    def load(self, content: bytes) -> LightGBMBooster:
        """The booster that was kept."""
        text = content.decode()
        per_round = next(line for line in text.splitlines() if line.startswith("num_tree_per_iteration="))
        return LightGBMBooster(text, int(per_round.partition("=")[2]))

    def grow(self, part: Part, budget: Budget, progress: Progress) -> Grown:
        """A booster on the rows `part.learn`, stopped early by the rows `part.held`."""
        problem = part.problem
        objective, metric = OBJECTIVES["mae" if problem.metric == "mae" else problem.task]
        settings = {**_defaults(len(part.learn)), **self.settings, "objective": objective, "metric": metric,
                    "seed": problem.seed, "deterministic": True, "force_row_wise": True, "verbosity": -1,
                    "num_threads": max(1, cores() // len(problem.folds))}  # fmt: skip
        if problem.outputs > 1:
            settings["num_class"] = problem.outputs
        learn = lightgbm.Dataset(part.dense[part.learn], part.target[part.learn], params=settings, free_raw_data=False)
        held = lightgbm.Dataset(part.dense[part.held], part.target[part.held], reference=learn, free_raw_data=False)
        monitor = TrainingMonitor(part, budget, progress)
        model = lightgbm.train(settings, learn, MOST_ROUNDS, valid_sets=[held], callbacks=[monitor],
                               init_model=monitor.begun())  # fmt: skip
        text = model.model_to_string(num_iteration=monitor.best + 1)
        return Grown(LightGBMBooster(text, problem.outputs), monitor.best + 1, monitor.losses)


def _defaults(rows: int) -> dict[str, Any]:
    """Bigger trees for more rows."""
    leaves = 15 if rows < 1000 else 31 if rows < 10_000 else 63
    return {"learning_rate": 0.05, "num_leaves": leaves, "feature_fraction": 0.6, "bagging_fraction": 0.9,
            "bagging_freq": 1, "lambda_l2": 1.0, "min_data_in_leaf": 20 if rows > 1000 else 5}  # fmt: skip


class TrainingMonitor:
    """Follows a training, saves it now and then, and ends it when it gets no better or time is over."""

    order = 30
    before_iteration = False

    def __init__(self, part: Part, budget: Budget, progress: Progress) -> None:
        self.part, self.budget, self.progress = part, budget, progress
        self.losses: list[float] = []
        self.least = float("inf")
        self.best = 0

    def begun(self) -> lightgbm.Booster | None:
        """The model that a killed job had come to."""
        kept = self.part.problem.checkpoints.read(f"{self.part.name}.begun")
        return None if kept is None else lightgbm.Booster(model_str=kept.decode())

    def __call__(self, env: lightgbm.callback.CallbackEnv) -> None:
        """After each round."""
        results = env.evaluation_result_list or []
        loss = float(results[0][2])
        self.losses.append(loss)
        if loss < self.least:
            self.least, self.best = loss, env.iteration
        last = env.iteration == env.end_iteration - 1
        if env.iteration % 25 == 0 or last:
            patience = (env.iteration - self.best) / PATIENCE_ROUNDS
            share = max(self.budget.share, min(env.iteration / 500, 0.9), patience)
            self.progress.update(share, epoch=env.iteration + 1, validation_loss=loss)
        checkpoints = self.part.problem.checkpoints
        if checkpoints.due(self.part.name) or self.budget.stopped:
            checkpoints.keep(f"{self.part.name}.begun", env.model.model_to_string(num_iteration=-1).encode())
        if env.iteration - self.best >= PATIENCE_ROUNDS or not self.budget.left or last:
            if not self.budget.stopped:
                checkpoints.drop(f"{self.part.name}.begun")
            raise lightgbm.callback.EarlyStopException(self.best, results)
