"""Trees of both libraries, read from what they save, against the libraries' own answers and inside a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import catboost
import lightgbm
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

from training_container.export.forests import TREES, add_forest, parts
from training_container.export.nodes import IR_VERSION, ML, ML_OPSET, OPSET, Nodes
from training_container.models.catboost import CatBoostBooster
from training_container.models.lightgbm import LightGBMBooster
from training_container.models.oblivious import of_catboost
from training_container.models.trees import Trees, floored, of_lightgbm

from .walking import answers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Set

OBJECTIVES = {
    "cars": ("regression", "RMSE", 1),
    "income": ("binary", "Logloss", 1),
    "penguins": ("multiclass", "MultiClass", 3),
}


def data(given: Set) -> tuple[np.ndarray, np.ndarray]:
    """Real columns [N, F] with gaps, and the target."""
    dense = given.problem.tree_inputs.dense(given.problem.rows)
    return dense[:, given.problem.tree_inputs.columns(0, pairs=True)], given.problem.target


def in_a_graph(models: list[Trees], dense: np.ndarray, outputs: int, size: int = TREES) -> np.ndarray:
    nodes = Nodes("t.")
    add_forest(nodes, "x", models, [np.arange(dense.shape[1])] * len(models), outputs, "y", size)
    shape = helper.make_tensor_value_info
    graph = helper.make_graph(nodes.nodes, "g", [shape("x", 1, ["N", dense.shape[1]])], [shape("y", 1, ["N", outputs])],
                              nodes.constants)  # fmt: skip
    imports = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)]
    model = helper.make_model(graph, ir_version=IR_VERSION, opset_imports=imports)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found: np.ndarray = session.run(["y"], {"x": dense})[0]
    return found


def boosters(name: str, dense: np.ndarray, target: np.ndarray, folder: Path) -> list[LightGBMBooster | CatBoostBooster]:
    objective, loss, outputs = OBJECTIVES[name]
    settings = {"objective": objective, "verbosity": -1, "num_leaves": 7, "min_data_in_leaf": 5, "num_threads": 1}
    more = {"num_class": outputs} if outputs > 1 else {}
    light = lightgbm.train({**settings, **more}, lightgbm.Dataset(dense, target), 12)
    cat = catboost.CatBoost({"loss_function": loss, "iterations": 12, "depth": 4, "allow_writing_files": False})
    cat.fit(catboost.Pool(dense, target), verbose=False)
    cat.save_model(str(folder / "model.cbm"))
    text, blob = light.model_to_string(), (folder / "model.cbm").read_bytes()
    return [LightGBMBooster(text, outputs), CatBoostBooster(blob, outputs)]


@pytest.mark.parametrize("name", OBJECTIVES)
def test_arrays_and_graph_answer_as_the_libraries(posed: Callable[[str], Set], name: str, tmp_path: Path) -> None:
    dense, target = data(posed(name))
    probes = dense[:40].copy()
    probes[np.arange(40), np.arange(40) % dense.shape[1]] = np.tile([np.nan, np.inf, -np.inf, 0.0], 10)
    for booster in boosters(name, dense, target, tmp_path):
        expected, trees = booster.margins(probes), booster.trees()
        outputs = expected.shape[1]
        np.testing.assert_allclose(answers(trees, probes, outputs), expected, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(in_a_graph([trees], probes, outputs), expected, rtol=1e-5, atol=1e-5)


def test_a_large_ensemble_is_cut_into_parts(posed: Callable[[str], Set], tmp_path: Path) -> None:
    """With a root that is a leaf among them, and outputs that a part has no leaf of."""
    dense, target = data(posed("penguins"))
    for booster in boosters("penguins", dense, target, tmp_path):
        trees = booster.trees()
        whole = in_a_graph([trees, trees], dense, 3)
        for size in (1, 2, 7):
            np.testing.assert_allclose(in_a_graph([trees, trees], dense, 3, size), whole, rtol=1e-6)


def test_parts_are_the_trees_in_their_order(posed: Callable[[str], Set], tmp_path: Path) -> None:
    dense, target = data(posed("cars"))
    light = boosters("cars", dense, target, tmp_path)[0].trees()
    assert all(light.roots >= 0) and len(light.roots) == 12
    found = list(parts(light, 5))
    assert [len(part.roots) for part in found] == [5, 5, 2]
    for name in ("feature", "threshold", "nan_left", "value", "output"):  # a booster's trees lie one after another
        np.testing.assert_array_equal(np.concatenate([getattr(part, name) for part in found]), getattr(light, name))
    total = np.sum([answers(part, dense[:30], 1) for part in found], axis=0)
    np.testing.assert_allclose(total, answers(light, dense[:30], 1))


def test_several_models_are_averaged(posed: Callable[[str], Set], tmp_path: Path) -> None:
    dense, target = data(posed("cars"))
    models = boosters("cars", dense, target, tmp_path)
    expected = np.mean([each.margins(dense[:50]) for each in models], axis=0)
    found = in_a_graph([each.trees() for each in models], dense[:50], 1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_value_on_the_threshold_falls_as_in_float64() -> None:
    threshold = np.array([0.1, 1 / 3, -0.1, 16777217.0, 0.5])
    down = floored(threshold)
    assert (down.astype(np.float64) <= threshold).all()
    assert (np.nextafter(down, np.float32(np.inf)).astype(np.float64) > threshold).all()
    assert down[-1] == 0.5


def test_a_tree_without_a_split_is_its_leaf() -> None:
    dense = np.zeros((30, 2), np.float32)
    settings = {"objective": "regression", "verbosity": -1, "num_threads": 1}
    light = lightgbm.train(settings, lightgbm.Dataset(dense, np.arange(30.0)), 3)
    trees = of_lightgbm(light.model_to_string(), 1)
    assert len(trees.feature) == 0
    np.testing.assert_allclose(in_a_graph([trees], dense[:3], 1), light.predict(dense[:3])[:, None], rtol=1e-6)


def test_categorical_splits_are_refused_rather_than_misread() -> None:
    codes = np.tile(np.arange(6.0), 50)[:, None]
    settings = {"objective": "regression", "verbosity": -1, "num_threads": 1, "min_data_per_group": 1}
    set_ = lightgbm.Dataset(codes, (codes[:, 0] * 7) % 5, categorical_feature=[0])
    light = lightgbm.train(settings, set_, 2)
    with pytest.raises(ValueError, match="numerical splits"):
        of_lightgbm(light.model_to_string(), 1)
    with pytest.raises(ValueError, match="OneHotFeature"):
        tree = {"splits": [{"split_type": "OneHotFeature"}], "leaf_values": [0.0, 1.0]}
        of_catboost({"scale_and_bias": [1, [0.0]], "features_info": {"float_features": []}, "oblivious_trees": [tree]})
