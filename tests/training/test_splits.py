"""What a split by group or by time comes to in training: honest scores, whole groups in a fold, and who is told."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from dropforge.contract.results import Manifest, Metrics
from dropforge.contract.spec import Spec
from dropforge.datasets.dataset import Options
from dropforge.datasets.prepare import prepare, prepare_table
from dropforge.metrics import scores
from training_container import trainer
from training_container.budget import Budget
from training_container.models.predictor import predict
from training_container.tasks.table.selection import Study, study

from .conftest import LEAN

if TYPE_CHECKING:
    from dropforge.datasets.dataset import Dataset
    from training_container.progress import Progress

VISITS = Path(__file__).parents[1] / "data" / "files" / "visits.csv"
"""Twelve visits of each of 60 patients, whose measurements are alike and whose outcome is chance."""


def studied(dataset: Dataset, quiet: Progress) -> Study:
    return study(dataset, metric=None, budget=Budget(1), seed=0, progress=quiet, search="none", families=LEAN)


def scored(done: Study) -> dict[str, float]:
    """The scores of the hold-out."""
    dataset = done.dataset
    answers = predict(done.predictor, done.encoder.encode(dataset.holdout.columns))
    return scores.scores(dataset.task, dataset.holdout.target, answers)


@pytest.mark.long
def test_chance_is_learned_row_by_row_and_not_by_patient(quiet: Progress) -> None:
    by_row = studied(prepare([VISITS], Options(spec=Spec.read({"split": {"by": "rows"}}))), quiet)
    by_patient = studied(prepare([VISITS], Options()), quiet)
    assert scored(by_row)["auc"] > 0.98
    assert 0.2 < scored(by_patient)["auc"] < 0.75
    assert by_patient.chosen.fitted.validation["auc"] < 0.75  # what chooses is not deceived either


@pytest.mark.long
@pytest.mark.usefixtures("lean")
def test_a_run_by_patient_says_so_and_proves_nothing(tmp_path: Path) -> None:
    assert trainer.main(["--data", str(VISITS), "--out", str(tmp_path), "--budget", "1", "--search", "none"]) == 0
    measured = Metrics.from_json(json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8")))
    assert measured.split == "The hold-out is all rows of 12 of the 60 values of 'patient_id'."
    assert not measured.gains["auc"].is_sure
    assert measured.notes[0].startswith("Only 12 groups are held out")
    held = json.loads(gzip.decompress((tmp_path / "holdout.json.gz").read_bytes()))
    assert len(held["groups"]) == len(held["target"]) == 144 and set(held["groups"]) == set(range(12))
    assert "12 of the 60 values of &#39;patient_id&#39;" in (tmp_path / "report.html").read_text(encoding="utf-8")
    manifest = Manifest.from_json(json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8")))
    assert manifest.card.split == "group:patient_id"
    assert "patient_id" in manifest.card.ignored  # a request may still hold it


def trend() -> pl.DataFrame:
    """A value that rises day by day, as a file has it."""
    rows = np.arange(1200)
    days = (np.datetime64("2023-01-01") + rows // 3).astype(str)
    values = rows / 3 * 0.5 + rows * 7919 % 101 / 10
    return pl.DataFrame({"day": days, "x": rows * 7919 % 101, "y": values}).cast(pl.String)


def test_folds_of_a_split_by_time_are_blocks_of_it(quiet: Progress) -> None:
    dataset = prepare_table(trend(), Options(spec=Spec.read({"target": "y"})))
    done = studied(dataset, quiet)
    days, fold = dataset.learning.columns["day"], done.problem.fold
    blocks = [days[fold == each] for each in range(int(fold.max()) + 1)]
    assert len(blocks) == 5
    assert all(max(one) < min(other) for one, other in zip(blocks[:-1], blocks[1:], strict=True))
    assert set(blocks[-1]) == set(dataset.validation.columns["day"])
    flattering = studied(
        prepare_table(trend(), Options(spec=Spec.read({"target": "y", "split": {"by": "rows"}}))), quiet
    )
    assert scored(done)["rmse"] > 1.5 * scored(flattering)["rmse"]
