"""Clustering: labels as scikit-learn's, scores as it defines them, and what a whole run leaves, on real data."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from sklearn import datasets
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

from dropforge.contract.results import Manifest, Metrics
from dropforge.contract.schema import Column
from dropforge.datasets.dataset import Rows
from dropforge.inference.explain import explanations
from dropforge.inference.model import ServedModel
from dropforge.inference.rows import from_json, to_arrays
from training_container import trainer
from training_container.budget import Budget
from training_container.checkpoints import Checkpoints
from training_container.export.runtime import Runtime
from training_container.faults import JobFault
from training_container.tasks.clustering import fitting
from training_container.tasks.clustering.fitting import Points, fit, search
from training_container.tasks.clustering.portraits import portraits

if TYPE_CHECKING:
    from pathlib import Path

    from training_container.progress import Progress


@pytest.fixture(scope="module")
def wine() -> np.ndarray:
    points = StandardScaler().fit_transform(datasets.load_wine().data).astype(np.float32)
    return points[np.random.default_rng(0).permutation(len(points))]


def given(wine: np.ndarray, checkpoints: Checkpoints | None = None) -> Points:
    return Points(wine[:120], wine[120:], "silhouette", "higher", 0, checkpoints or Checkpoints())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run by hand on iris without its species, and a column of colours beside."""
    place = tmp_path_factory.mktemp("iris")
    bunch = datasets.load_iris()
    colours = np.where(bunch.target == 0, "red", "blue")
    lines = [",".join([*map(str, row), colour]) for row, colour in zip(bunch.data, colours, strict=True)]
    names = [name.removesuffix(" (cm)").replace(" ", "_") for name in bunch.feature_names]
    (place / "iris.csv").write_text("\n".join([",".join([*names, "colour"]), *lines]) + "\n")
    out = place / "model"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "MOST_CLUSTERS", 6)
        assert trainer.main(["--data", str(place / "iris.csv"), "--task", "clustering", "--out", str(out)]) == 0
    return out


@pytest.mark.parametrize("way", list(fitting.MOST_ROWS))
def test_labels_are_scikit_learn_s(wine: np.ndarray, way: str) -> None:
    found = fit(way, 3, wine[:120], wine[120:], 0)
    assert found is not None
    points = wine[:120].astype(float)
    made = fitting._mixture(way, 3, points, 0) if "mixture" in way else fitting._means(way, 3, points, 0)
    members = found.members(torch.from_numpy(wine)).numpy()
    assert adjusted_rand_score(made.predict(wine.astype(float)), members.argmax(1)) == 1.0
    assert members.sum(1) == pytest.approx(np.ones(len(wine)), abs=1e-5)
    sizes = np.bincount(members[:120].argmax(1))
    assert sizes.tolist() == sorted(sizes, reverse=True)
    if isinstance(made, GaussianMixture):
        order = [int(made.predict(wine[members.argmax(1) == at][:1].astype(float))[0]) for at in range(3)]
        assert members == pytest.approx(made.predict_proba(wine.astype(float))[:, order], abs=1e-4)


@pytest.mark.long
def test_the_search_finds_the_three_wines(wine: np.ndarray, quiet: Progress) -> None:
    found = search(given(wine), Budget(1), quiet)
    assert found.chosen.clusters == 3
    assert {each.way for each in found.best} >= {"kmeans", "mixture-diagonal"}
    diagonal = next(each for each in found.best if each.way == "mixture-diagonal")
    bics = found.curves["mixture-diagonal"]["bic"]
    assert diagonal.bic == np.nanmin(bics) and bics.index(diagonal.bic) + 2 == diagonal.clusters


def test_without_time_one_way_has_one_try(wine: np.ndarray, quiet: Progress) -> None:
    found = search(given(wine), Budget(1e-9), quiet)
    assert [each.clusters for each in found.best] == [2]


@pytest.mark.long
def test_a_few_odd_rows_are_no_cluster(quiet: Progress) -> None:
    random = np.random.default_rng(0)
    points = np.concatenate([random.normal(size=(299, 2)) / 100, [[1000.0, 1000.0]]]).astype(np.float32)
    assert fit("kmeans", 2, points, points, 0) is None
    same = np.concatenate([np.zeros((299, 2)), [[1.0, 1.0]]]).astype(np.float32)
    with pytest.raises(JobFault, match="no clusters found: each split of 300 rows"):
        search(Points(same, same, "silhouette", "higher", 0, Checkpoints()), Budget(1e-9), quiet)


def test_portraits_say_what_is_different_and_nothing_of_masked_columns() -> None:
    values = {
        "age": np.array([20.0, 22, 21, 60, 61, np.nan], np.float32),
        "colour": np.array(["red", "red", "", "blue", "blue", "blue"], object),
        "name": np.array(["a"] * 3 + ["b"] * 3, object),
    }
    columns = (Column("age", "number"), Column("colour", "category"), Column("name", "category"))
    labels = np.array([0, 0, 0, 1, 1, 1])
    young, old = portraits(columns, Rows(values, labels), labels, ["name"])
    assert "low age (mean 21, 36.8 in all rows)" in young and "colour 'red' in 66.7 % (33.3 % of all rows)" in young
    assert "high age" in old and "name" not in young + old


def test_a_run_leaves_everything(folder: Path) -> None:
    manifest = Manifest.from_json(json.loads((folder / "manifest.json").read_text()))
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == {*manifest.files, "manifest.json"}
    card = manifest.card
    assert (card.task, card.target, card.label_type, card.classes[:2]) == (
        "clustering",
        "cluster",
        "integer",
        ("1", "2"),
    )
    measured = Metrics.from_json(json.loads((folder / "metrics.json").read_text()))
    assert measured.holdout["silhouette"] > 0.4 > measured.baseline["silhouette"]
    assert set(measured.intervals) == set(measured.gains) == set(measured.holdout)
    assert measured.gains["silhouette"].is_sure and any("hold-out rows: every score" in each for each in measured.notes)
    page = (folder / "report.html").read_text()
    assert "95 % interval" in page and "Before you rely on it" in page
    assert "What the clusters are like" in page and "petal_length" in page and page.count("<svg") >= 4
    profile = json.loads((folder / "profile.json").read_text())
    assert sum(profile["target"]["counts"].values()) == measured.rows["train"]


def test_the_held_out_rows_are_labelled_by_the_file(folder: Path) -> None:
    card = Manifest.from_json(json.loads((folder / "manifest.json").read_text())).card
    rows = json.loads(gzip.decompress((folder / "holdout.json.gz").read_bytes()))
    runtime = Runtime((folder / "model.onnx").read_bytes(), card)
    values = {
        column.name: np.array(rows["columns"][column.name], np.float32 if column.kind == "number" else object)
        for column in card.columns
    }
    labels, members = runtime.answer(values)
    assert labels.tolist() == rows["target"]
    assert members is not None and members.shape == (len(labels), len(card.classes))


def test_memberships_are_explained(folder: Path) -> None:
    """By the serving runtime: contributions to belonging to the row's own cluster."""
    predictor = (folder / "model.onnx").read_bytes()
    served = ServedModel.from_bytes(predictor, hashlib.sha256(predictor).hexdigest())
    rows = [json.loads(line)["row"] for line in (folder / "golden.jsonl").read_text().splitlines()][:3]
    inputs = to_arrays(from_json(json.dumps(rows).encode()), served.card)
    answers = served.predict(inputs)
    assert answers.probabilities is not None
    found = explanations({"explain": "true"}, served, inputs, answers)["explanations"]
    for each, cluster, shares in zip(found, answers.predictions, answers.probabilities, strict=True):
        assert each["class"] == cluster
        assert each["base"] + sum(each["contributions"].values()) == pytest.approx(float(shares.max()), abs=1e-6)
