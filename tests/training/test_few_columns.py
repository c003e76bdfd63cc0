"""Tables with one kind of column alone: every family fits them, and the graph answers in any batch size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dropforge.contract.results import PRIMARY
from dropforge.contract.schema import ModelCard
from dropforge.contract.spec import Spec
from dropforge.datasets.dataset import Options
from dropforge.datasets.prepare import prepare
from examples.datasets import SOURCES
from training_container.budget import Budget
from training_container.checkpoints import Checkpoints
from training_container.encoding import Encoder
from training_container.export.graph import build
from training_container.export.parity import prove
from training_container.export.runtime import Runtime
from training_container.models.catboost import CatBoost
from training_container.models.lightgbm import LightGBM
from training_container.models.linear import Ridge, Softmax
from training_container.models.network import Settings
from training_container.models.neural import Neural
from training_container.models.predictor import mix
from training_container.native import Native
from training_container.tasks.table.ensemble import ensemble
from training_container.tasks.table.selection import pose

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from training_container.progress import Progress

KEPT = {
    "one number": ("cars", ("Horsepower",)),
    "categories": ("cars", ("Origin", "Name")),
    "one date": ("weather", ("date",)),
    "one category": ("penguins", ("island",)),
}


@pytest.mark.long
@pytest.mark.parametrize("what", KEPT)
def test_one_kind_of_column_is_enough(csv: Callable[[str], Path], quiet: Progress, what: str) -> None:
    name, kept = KEPT[what]
    path, target = csv(name), SOURCES[name].target
    others = [each for each in path.read_text().partition("\n")[0].split(",") if each not in (*kept, target)]
    dataset = prepare([path], Options(spec=Spec(drop=tuple(others)), target=target))
    assert {each.name for each in dataset.columns} <= set(kept)
    encoder = Encoder.learn(dataset.columns, dataset.learning.columns)
    problem = pose(dataset, encoder, PRIMARY[dataset.task], 0, Checkpoints())
    linear = Softmax() if dataset.classes else Ridge()
    nets = (Neural(Settings(epochs=2, width=16)), Neural(Settings(epochs=2, width=16, waves=4), "neural-periodic"))
    families = (linear, LightGBM.oblique(), CatBoost(settings={"iterations": 20}), *nets)
    fitted = {each.name: each.fit(problem, Budget(1), quiet) for each in families}
    assert sum(ensemble(problem, fitted).settings["weights"].values()) == pytest.approx(1, abs=1e-3)
    predictor = mix([each.predictor for each in fitted.values()], [1 / len(fitted)] * len(fitted))
    card = ModelCard("m", "run-0", dataset.task, target, "text", dataset.classes, dataset.columns)
    model = build(card, encoder, predictor, encoder.encode(dataset.holdout.columns))
    native, runtime = Native(encoder, predictor), Runtime(model.SerializeToString(), card)
    proof = prove(native, runtime, dataset.holdout, native.answer(dataset.holdout.columns))
    assert proof.largest <= 1e-5
