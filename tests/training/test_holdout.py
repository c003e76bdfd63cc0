"""The hold-out is scored and never learned from: whatever its targets say, the same graph comes out, to the byte."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest

from dropforge.contract.results import Metrics
from examples.datasets import SOURCES
from training_container import driver, trainer
from training_container.tasks.table import tuning

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dropforge.datasets.dataset import Dataset


def scrambled(dataset: Dataset) -> Dataset:
    """The same rows, the hold-out's targets dealt anew."""
    mixed = np.random.default_rng(1).permutation(dataset.holdout.target)
    assert not np.array_equal(mixed, dataset.holdout.target)
    return replace(dataset, holdout=replace(dataset.holdout, target=mixed))


def graph_of(path: Path) -> bytes:
    """The bytes of the graph, without what the file says of itself: its scores are those of the hold-out."""
    return bytes(onnx.load(str(path)).graph.SerializeToString(deterministic=True))


@pytest.mark.long
@pytest.mark.usefixtures("lean")
@pytest.mark.parametrize("name", ["penguins", "cars"])
def test_scrambled_holdout_targets_change_scores_and_not_the_model(
    name: str, csv: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tuning included, which a few trials without a better one end here."""
    monkeypatch.setattr(tuning, "PATIENCE_TRIALS", 3)
    prepare = driver.prepare

    def run(out: str, change: Callable[[Dataset], Dataset]) -> tuple[bytes, Metrics]:
        def changed(*given: Any) -> Dataset:
            return change(prepare(*given))

        monkeypatch.setattr(driver, "prepare", changed)
        folder = tmp_path / out
        given = ["--data", str(csv(name)), "--target", SOURCES[name].target, "--out", str(folder), "--budget", "5"]
        assert trainer.main(given) == 0
        told = Metrics.from_json(json.loads((folder / "metrics.json").read_text(encoding="utf-8")))
        return graph_of(folder / "model.onnx"), told

    model, plain = run("plain", lambda dataset: dataset)
    other, mixed = run("mixed", scrambled)
    assert other == model
    assert mixed.chosen == plain.chosen
    assert any(each.name.endswith("-tuned") for each in plain.candidates)
    assert [(each.name, each.validation, each.settings) for each in mixed.candidates] == [
        (each.name, each.validation, each.settings) for each in plain.candidates
    ]
    assert mixed.holdout[mixed.metric] != plain.holdout[plain.metric]
    assert plain.gains[plain.metric].is_sure
    assert not mixed.gains[mixed.metric].is_sure
    assert any("includes 0" in note for note in mixed.notes)
