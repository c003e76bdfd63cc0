"""CatBoost on numbers and ranked categories: oblivious trees, which are smooth where leaf-wise trees are sharp.

In two flavours, of which a problem gets one: with pairs of numbers where they have paid in LightGBM, plain otherwise.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import catboost
import numpy as np
import torch

from training_container.checkpoints import SAVE_SECONDS
from training_container.models.bagging import Grown, grow_bag
from training_container.models.lightgbm import PATIENCE_ROUNDS
from training_container.models.oblivious import of_catboost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import optuna

    from training_container.budget import Budget
    from training_container.models.bagging import Part
    from training_container.models.family import Fitted, Problem
    from training_container.models.trees import Trees
    from training_container.progress import Progress

MOST_ROUNDS = 2000
PAIRS_PAY = 0.005
"""Part of the deciding metric that LightGBM must have gained by pairs: less is chance, and they take twice the time."""
LOSSES = {"regression": "RMSE", "binary": "Logloss", "multiclass": "MultiClass", "mae": "MAE"}
"""Task, or the metric `mae`, to CatBoost's loss."""


@dataclass(frozen=True)
class CatBoostBooster:
    """A model as CatBoost writes it: its binary format."""

    blob: bytes
    outputs: int

    @cached_property
    def model(self) -> catboost.CatBoost:
        """The loaded model."""
        model = catboost.CatBoost()
        model.load_model(blob=self.blob)
        return model

    def margins(self, dense: np.ndarray) -> np.ndarray:
        """float64 [N, outputs]."""
        margins = self.model.predict(dense, prediction_type="RawFormulaVal", thread_count=torch.get_num_threads())
        return np.asarray(margins).reshape(len(dense), self.outputs)

    def trees(self) -> Trees:
        """The model as flat arrays."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.json"
            self.model.save_model(str(path), format="json")
            return of_catboost(json.loads(path.read_text(encoding="utf-8")))

    def content(self) -> bytes:
        """What `CatBoost.load` reads: the width, then the model."""
        return self.outputs.to_bytes(2, "little") + self.blob


@dataclass(frozen=True)
class CatBoost:
    """A family and its grower; `settings` are CatBoost's own parameters over the defaults."""

    name: str = "catboost"
    settings: dict[str, Any] = field(default_factory=dict)
    pairs: bool = False
    tasks: frozenset[str] = frozenset({"regression", "binary", "multiclass"})

    @classmethod
    def oblique(cls) -> CatBoost:
        """The flavour with pairs of numbers."""
        return cls("catboost-oblique", {"rsm": 0.4}, pairs=True)

    def worthwhile(self, problem: Problem, budget: Budget, fitted: Mapping[str, Fitted]) -> bool:  # noqa: ARG002  # others do
        """Whether it is the flavour for this problem."""
        return self.pairs == pairs_pay(problem, fitted)

    def fit(self, problem: Problem, budget: Budget, progress: Progress,
            after: Callable[[int, float], None] | None = None) -> Fitted:  # fmt: skip
        """A bag of one booster a fold."""
        return grow_bag(problem, self, budget, progress, after)

    def tuned(self, trial: optuna.Trial, name: str) -> CatBoost:
        """The family at the settings that `trial` suggests."""
        suggested = {
            "depth": trial.suggest_int("depth", 4, 8),
            "learning_rate": trial.suggest_float("learning_rate", 0.03, 0.12, log=True),
            "l2_leaf_reg": trial.suggest_float("l2_leaf_reg", 1.0, 20.0, log=True),
            "random_strength": trial.suggest_float("random_strength", 0.1, 5.0, log=True),
            "bagging_temperature": trial.suggest_float("bagging_temperature", 0.0, 1.0),
            "rsm": trial.suggest_float("rsm", 0.3, 1.0),
        }
        return replace(self, name=name, settings={**self.settings, **suggested})

    @staticmethod
    def grid() -> dict[str, list[Any]]:
        """The values of a grid search, by the names that `tuned` suggests."""
        return {"depth": [4, 6, 8], "learning_rate": [0.05, 0.1], "l2_leaf_reg": [1.0, 3.0, 10.0],
                "random_strength": [1.0], "bagging_temperature": [0.0, 1.0], "rsm": [0.5, 1.0]}  # fmt: skip

    def load(self, content: bytes) -> CatBoostBooster:
        """The booster that was kept."""
        return CatBoostBooster(content[2:], int.from_bytes(content[:2], "little"))

    def grow(self, part: Part, budget: Budget, progress: Progress) -> Grown:
        """A booster on the rows `part.learn`, stopped early by the rows `part.held`."""
        problem = part.problem
        settings = {"learning_rate": 0.08, "depth": 6, "iterations": MOST_ROUNDS, **self.settings,
                    "loss_function": LOSSES["mae" if problem.metric == "mae" else problem.task],
                    "random_seed": problem.seed, "thread_count": part.threads,
                    "verbose": False, "early_stopping_rounds": PATIENCE_ROUNDS}  # fmt: skip
        model = catboost.CatBoost({**settings, **self._snapshots(part)})
        monitor = TrainingMonitor(budget, progress)
        model.fit(catboost.Pool(part.dense[part.learn], part.target[part.learn]),
                  eval_set=catboost.Pool(part.dense[part.held], part.target[part.held]),
                  use_best_model=True, callbacks=[monitor])  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.cbm"
            model.save_model(str(path))
            blob = path.read_bytes()
        return Grown(CatBoostBooster(blob, problem.outputs), int(model.tree_count_), monitor.losses)

    @staticmethod
    def _snapshots(part: Part) -> dict[str, Any]:
        """CatBoost keeps and finds its own work under way."""
        folder = part.problem.checkpoints.place(part.name)
        if folder is None:
            return {"allow_writing_files": False}
        return {"allow_writing_files": True, "train_dir": str(folder), "save_snapshot": True,
                "snapshot_file": "begun.snapshot", "snapshot_interval": int(SAVE_SECONDS)}  # fmt: skip


def pairs_pay(problem: Problem, fitted: Mapping[str, Fitted]) -> bool:
    """Whether LightGBM gained by pairs out of fold."""
    if not {"lightgbm", "lightgbm-oblique"} <= fitted.keys():
        return False
    plain, paired = (fitted[name].validation[problem.metric] for name in ("lightgbm", "lightgbm-oblique"))
    gain = paired - plain if problem.direction == "higher" else plain - paired
    return gain > PAIRS_PAY * abs(plain)


class TrainingMonitor:
    """Follows a training and ends it when time is over."""

    def __init__(self, budget: Budget, progress: Progress) -> None:
        self.budget, self.progress = budget, progress
        self.losses: list[float] = []

    def after_iteration(self, info: Any) -> bool:
        """Whether to go on."""
        (self.losses,) = info.metrics["validation"].values()  # of the rounds before a kill too
        if info.iteration % 25 == 0:
            self.progress.update(max(self.budget.share, min(info.iteration / 1000, 0.9)), epoch=info.iteration,
                            validation_loss=self.losses[-1])  # fmt: skip
        return self.budget.left > 0
