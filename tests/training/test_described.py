"""What a model file says of itself is added without a change of the graph."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import onnx

from dropforge.contract.results import Metrics
from dropforge.inference.model import ServedModel
from tests.serving.little import little, trained
from training_container.evidence import describe

if TYPE_CHECKING:
    from pathlib import Path


def test_a_described_file_is_the_same_model(tmp_path: Path) -> None:
    made = little("multiclass")
    metrics = Metrics.from_json(json.loads(trained(made)["metrics.json"]))
    file = tmp_path / "model.onnx"
    file.write_bytes(made.body)
    describe(file, made.card, metrics)
    body = file.read_bytes()
    model = ServedModel.from_bytes(body, hashlib.sha256(body).hexdigest())
    told = model.session.get_modelmeta()
    assert model.card == made.card
    assert repr(made.card.target) in told.description and "onnxruntime 1.21" in told.description
    assert json.loads(told.custom_metadata_map["dropforge.scores"])["holdout"] == metrics.holdout
    onnx.checker.check_model(onnx.load(file), full_check=True)
    assert onnx.load(file).graph == onnx.load_from_string(made.body).graph
