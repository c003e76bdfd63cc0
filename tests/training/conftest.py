"""Real data sets, prepared as the trainer does, and one trained folder each for the tests that look at results."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch loads: tests share their cores

import polars as pl
import pytest

from dropforge.contract.plan import DataFormat, Lineage, Plan
from dropforge.contract.results import PRIMARY
from dropforge.contract.spec import Spec
from dropforge.datasets.dataset import Dataset, Options
from dropforge.datasets.prepare import prepare
from examples.datasets import SOURCES, load
from training_container.checkpoints import Checkpoints
from training_container.encoding import Encoder
from training_container.models.catboost import CatBoost
from training_container.models.lightgbm import LightGBM
from training_container.models.linear import Ridge, Softmax
from training_container.models.network import Settings
from training_container.models.neural import Neural
from training_container.progress import Progress, SilentProgress
from training_container.tasks.table.selection import pose, study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from training_container.models.family import Problem

LEAN = (
    (Ridge(), 0.1),
    (Softmax(), 0.1),
    (LightGBM(settings={"learning_rate": 0.2}), 0.3),
    (CatBoost(settings={"iterations": 40}), 0.4),
    (Neural(Settings(epochs=5, width=32, bins=8)), 0.8),
)
"""A portfolio of all kinds of families that is fitted in seconds: for tests of what surrounds the models."""

ROWS = {"cars": 10_000, "penguins": 10_000, "income": 1_500, "houses": 2_500, "weather": 10_000}


@dataclass(frozen=True)
class Set:
    """One data set with what a family needs of it."""

    dataset: Dataset
    encoder: Encoder
    problem: Problem


@pytest.fixture(scope="session")
def quiet() -> Progress:
    """A progress that prints nothing."""
    return SilentProgress()


@pytest.fixture(scope="module")
def lean() -> Iterator[None]:
    """The trainer fits `LEAN` in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training_container.tasks.table.task.study", partial(study, families=LEAN))
        yield


@pytest.fixture(scope="session")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Writes a real data set, or its first rows, as a CSV file."""
    folder = tmp_path_factory.mktemp("data")

    def write(name: str) -> Path:
        path = folder / f"{name}.csv"
        if not path.exists():
            load(name).head(ROWS[name]).write_csv(path)
        return path

    return write


@pytest.fixture(scope="session")
def posed(csv: Callable[[str], Path]) -> Callable[[str], Set]:
    """A real data set as the families get it, on the CPU; made once."""
    made: dict[str, Set] = {}

    def pose(name: str) -> Set:
        if name not in made:
            made[name] = _pose(prepare([csv(name)], Options(target=SOURCES[name].target)))
        return made[name]

    return pose


def _pose(dataset: Dataset) -> Set:
    encoder = Encoder.learn(dataset.columns, dataset.learning.columns)
    return Set(dataset, encoder, pose(dataset, encoder, PRIMARY[dataset.task], 0, Checkpoints()))


@pytest.fixture
def ml_root(tmp_path: Path, csv: Callable[[str], Path]) -> Callable[..., Path]:
    """Lays out SageMaker's folders for a training job on a real data set."""

    def lay_out(name: str, **wishes: Any) -> Path:
        source = csv(name)
        for part in ("input/config", "input/data/data", "input/data/plan", "model", "output"):
            (tmp_path / part).mkdir(parents=True)
        (tmp_path / "input/data/data" / source.name).write_bytes(source.read_bytes())
        task = wishes.pop("task", None) or (
            "regression" if pl.read_csv(source)[SOURCES[name].target].dtype.is_numeric() else "multiclass"
        )
        lineage = Lineage("bucket", f"datasets/{name}/{source.name}", "v1", source.stat().st_size, "etag", "image")
        plan = Plan(
            "run-0123456789abcdef",
            name,
            SOURCES[name].target,
            task,
            DataFormat("csv"),
            lineage,
            Spec(**{"search": "none", "budget": 0.5, **wishes}),
        )
        (tmp_path / "input/data/plan/plan.json").write_text(json.dumps(plan.to_json()))
        (tmp_path / "input/config/hyperparameters.json").write_text(json.dumps({"run": plan.run}))
        return tmp_path

    return lay_out
