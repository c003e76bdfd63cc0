"""What trees gain by being told what a row's neighbours have: the homes of California, with and without.

Run it by `make bench-neighbours`. Both sides see the same folds and the same seed, and end when they get no better.
"""

from __future__ import annotations

import os

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # before torch loads, as the trainer does

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import Row, publish
from dropforge.contract.results import PRIMARY
from dropforge.datasets.dataset import Options
from dropforge.datasets.prepare import prepare
from dropforge.metrics import scores as metrics
from examples.datasets import SOURCES, load
from training_container.budget import Budget
from training_container.checkpoints import Checkpoints
from training_container.devices import use_cores
from training_container.encoding import Encoder
from training_container.models import neighbours
from training_container.models.catboost import CatBoost
from training_container.models.lightgbm import LightGBM
from training_container.models.predictor import predict
from training_container.progress import SilentProgress
from training_container.tasks.table.selection import pose

if TYPE_CHECKING:
    from dropforge.datasets.dataset import Dataset

SET = "houses"
FAMILIES = (LightGBM(), LightGBM.oblique(), CatBoost())
MINUTES = 5.0
"""More than any of them needs."""


def main() -> None:
    """Every family with neighbours, then without."""
    use_cores()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{SET}.csv"
        load(SET).write_csv(path)
        dataset = prepare([path], Options(target=SOURCES[SET].target))
    told = fitted(dataset)
    neighbours.LEAST = 2.0  # no correlation is as large
    alone = fitted(dataset)
    publish("neighbours", [
        Row(f"{name}: {what}", value, unit, "lower", None, "without neighbours", alone[name][what][0])
        for name, each in told.items() for what, (value, unit) in each.items()
    ], ["catboost", "lightgbm", "scikit-learn"])  # fmt: skip


def fitted(dataset: Dataset) -> dict[str, dict[str, tuple[float, str]]]:
    """Of each family its scores, and the seconds that it took."""
    encoder = Encoder.learn(dataset.columns, dataset.learning.columns)
    problem = pose(dataset, encoder, PRIMARY[dataset.task], 0, Checkpoints())
    start = time.perf_counter()
    problem.prepare()
    found = {"what they share": {"seconds": (time.perf_counter() - start, "s")}}
    for family in FAMILIES:
        start = time.perf_counter()
        made = family.fit(problem, Budget(MINUTES), SilentProgress())
        seconds = time.perf_counter() - start
        answers = predict(made.predictor, encoder.encode(dataset.holdout.columns))
        holdout = metrics.scores(dataset.task, dataset.holdout.target, answers)
        found[family.name] = {
            "RMSE out of fold": (made.validation["rmse"], "target"),
            "RMSE on the hold-out": (holdout["rmse"], "target"),
            "seconds": (seconds, "s"),
        }
    return found


if __name__ == "__main__":
    main()
