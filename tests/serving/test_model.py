"""A model file: only the right bytes are loaded, and the answers are those of the model that was exported."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper

from dropforge.inference.faults import ModelFault, NotFinite
from dropforge.inference.model import ServedModel, as_label
from dropforge.inference.rows import Rows, to_arrays
from tests.serving.little import Little, little


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def test_answers_equal_the_model_that_was_exported(made: Little, served: ServedModel) -> None:
    answers = served.predict(to_arrays(Rows(made.columns, len(made.target)), served.card))
    expected = made.expected(made.columns)
    if made.card.task == "regression":
        np.testing.assert_allclose(answers.predictions, expected, rtol=1e-5)
        assert answers.probabilities is None
    else:
        np.testing.assert_allclose(answers.probabilities, expected, atol=1e-5)
        assert {type(each) for each in answers.predictions} == {type(made.target[0])}
        right = np.mean([a == b for a, b in zip(answers.predictions, made.target, strict=True)])
        assert right > 0.8


@pytest.mark.parametrize("count", [1, 7, 1000])
def test_any_number_of_rows(count: int) -> None:
    made = little("multiclass")
    served = ServedModel.from_bytes(made.body, made.sha256)
    columns = {name: (values * 7)[:count] for name, values in made.columns.items()}
    answers = served.predict(to_arrays(Rows(columns, count), served.card))
    assert len(answers.predictions) == count
    assert answers.probabilities is not None and answers.probabilities.shape == (count, 3)


def test_other_bytes_are_refused(made: Little) -> None:
    with pytest.raises(ModelFault, match="expected SHA-256 00ff, got"):
        ServedModel.from_bytes(made.body, "00ff")


def test_no_model_is_refused() -> None:
    with pytest.raises(ModelFault, match="onnxruntime refuses it"):
        ServedModel.from_bytes(b"no model", sha256(b"no model"))


def test_a_model_without_a_card_is_refused() -> None:
    body = replace(little("binary"), broken={"card": None}).body
    with pytest.raises(ModelFault, match="expected a model card"):
        ServedModel.from_bytes(body, sha256(body))


def test_external_data_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("secret") / "weights"
    secret.write_bytes(b"\0" * 4)
    stolen = helper.make_tensor("stolen", TensorProto.FLOAT, [1], b"\0" * 4, raw=True)
    stolen.ClearField("raw_data")
    stolen.data_location = TensorProto.EXTERNAL
    entry = stolen.external_data.add()
    entry.key, entry.value = "location", str(secret)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["stolen"], ["y"])], "thief", [], [y], [stolen])
    body = helper.make_model(graph, ir_version=10).SerializeToString()
    with pytest.raises(ModelFault):
        ServedModel.from_bytes(body, sha256(body))


def test_answers_that_are_not_finite_name_the_row() -> None:
    made = little("regression")
    served = ServedModel.from_bytes(made.body, made.sha256)
    columns = {name: values[:3] for name, values in made.columns.items()}
    columns |= {"x2": [0.0, 3e38, 0.0], "x3": [0.0, 3e38, 0.0]}
    with pytest.raises(NotFinite) as caught:
        served.predict(to_arrays(Rows(columns, 3), served.card))
    assert caught.value.row == 1


def test_outputs_of_another_shape_are_a_fault() -> None:
    made = little("multiclass")
    short = replace(made, card=replace(made.card, classes=("0", "1")))
    served = ServedModel.from_bytes(made.body, made.sha256)
    with pytest.raises(ModelFault, match="expected shape"):
        ServedModel(served.session, short.card, served.size).predict(
            to_arrays(Rows(made.columns, len(made.target)), served.card)
        )


@pytest.mark.parametrize(
    ("label", "kind", "answer"),
    [("3", "integer", 3), ("2.5", "number", 2.5), ("true", "boolean", True), ("03", "text", "03")],
)
def test_labels_come_back_in_the_data_s_type(label: str, kind: str, answer: object) -> None:
    got = as_label(label, kind)
    assert got == answer and type(got) is type(answer)


def test_the_runtime_starts_without_telemetry_and_without_a_training_library() -> None:
    made = little("binary")
    code = (
        "import json, os, sys; from dropforge.inference.model import ServedModel; body = sys.stdin.buffer.read();"
        f"ServedModel.from_bytes(body, {made.sha256!r});"
        "heavy = {'torch', 'onnx', 'pandas', 'polars', 'sklearn', 'boto3'} & set(sys.modules);"
        "print(json.dumps([os.environ['ORT_DISABLE_TELEMETRY'], sorted(heavy)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], input=made.body, capture_output=True, check=True)
    assert json.loads(done.stdout) == ["1", []]
