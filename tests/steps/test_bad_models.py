"""Model files that are harmful, or no models: refused with a reason, while the old version keeps serving."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from dropforge.contract import names
from dropforge.contract.tasks import PREDICTION
from dropforge.inference.faults import ModelFault
from lambdas.pipeline.judge import trial
from lambdas.pipeline.judge.trial import Limits
from tests.serving.little import golden, little, trained

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.steps.cloud import Cloud

LITTLE = little("regression")
GOLDEN = b"".join(json.dumps(row).encode() + b"\n" for row in golden(LITTLE)[:5])
SHORT = Limits(seconds=3)
HUGE = 4 * 10**9
"""Float32 numbers of 16 GB."""


def changed(change: Callable[[onnx.ModelProto], None]) -> bytes:
    model = onnx.load_from_string(LITTLE.body)
    change(model)
    return bytes(model.SerializeToString())


def rerouted(model: onnx.ModelProto, *nodes: Any) -> None:
    """Puts nodes between the prediction as it was, now named `before`, and the output."""
    for node in model.graph.node:
        node.output[:] = ["before" if name == PREDICTION else name for name in node.output]
        node.input[:] = ["before" if name == PREDICTION else name for name in node.input]
    model.graph.node.extend(nodes)


def endless(model: onnx.ModelProto) -> None:
    go = helper.make_node("Identity", ["going"], ["goes"])
    keep = helper.make_node("Identity", ["value"], ["kept"])
    flag, value = (TensorProto.BOOL, []), (TensorProto.FLOAT, [None, 1])
    body = helper.make_graph(
        [go, keep],
        "body",
        [helper.make_tensor_value_info("at", TensorProto.INT64, []), helper.make_tensor_value_info("going", *flag),
         helper.make_tensor_value_info("value", *value)],
        [helper.make_tensor_value_info("goes", *flag), helper.make_tensor_value_info("kept", *value)],
    )  # fmt: skip
    model.graph.initializer.append(numpy_helper.from_array(np.asarray(True), "always"))
    rerouted(model, helper.make_node("Loop", ["", "always", "before"], [PREDICTION], body=body))


def greedy(model: onnx.ModelProto) -> None:
    """16 GB when a row is predicted: the size depends on the row, so that nothing is computed before."""
    size = numpy_helper.from_array(np.asarray([HUGE], np.int64), "size")
    model.graph.initializer.append(size)
    rerouted(
        model,
        helper.make_node("Shape", ["before"], ["shape"], end=1),
        helper.make_node("Mul", ["shape", "size"], ["much"]),
        helper.make_node("ConstantOfShape", ["much"], ["block"]),
        helper.make_node("ReduceMax", ["block"], ["one"], keepdims=0),
        helper.make_node("Add", ["before", "one"], [PREDICTION]),
    )


def greedy_at_once(model: onnx.ModelProto) -> None:
    """16 GB when the file is opened, because constants are computed then."""
    model.graph.initializer.append(numpy_helper.from_array(np.asarray([HUGE], np.int64), "size"))
    rerouted(
        model,
        helper.make_node("ConstantOfShape", ["size"], ["block"]),
        helper.make_node("ReduceMax", ["block"], ["one"], keepdims=0),
        helper.make_node("Add", ["before", "one"], [PREDICTION]),
    )


def external(model: onnx.ModelProto) -> None:
    tensor = next(each for each in model.graph.initializer if each.name == "weights")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../../etc/passwd")


def custom(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("evil", 1))
    rerouted(model, helper.make_node("Steal", ["before"], [PREDICTION], domain="evil"))


def too_wide(model: onnx.ModelProto) -> None:
    rerouted(model, helper.make_node("Concat", ["before", "before"], [PREDICTION], axis=0))


def not_a_number(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.asarray(np.nan, np.float32), "nan"))
    rerouted(model, helper.make_node("Mul", ["before", "nan"], [PREDICTION]))


def other_output(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = "before"
    rerouted(model)


def other_input(model: onnx.ModelProto) -> None:
    old = model.graph.input[0].name
    model.graph.input[0].name = "stranger"
    for node in model.graph.node:
        node.input[:] = ["stranger" if name == old else name for name in node.input]


def of_the_future(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 999


def without_card(model: onnx.ModelProto) -> None:
    del model.metadata_props[:]


BAD: dict[str, bytes] = {
    "an endless loop": changed(endless),
    "16 GB when it predicts": changed(greedy),
    "16 GB when it is opened": changed(greedy_at_once),
    "another file as its weights": changed(external),
    "an operator of its own": changed(custom),
    "more answers than rows": changed(too_wide),
    "no number": changed(not_a_number),
    "another output": changed(other_output),
    "another input": changed(other_input),
    "operators of the future": changed(of_the_future),
    "no card": changed(without_card),
    "half a file": LITTLE.body[: len(LITTLE.body) // 2],
    "nothing": b"",
    "a program": b"\x7fELF" + bytes(4096),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_model_is_refused_with_a_reason_within_its_limits(kind: str) -> None:
    body, began = BAD[kind], time.monotonic()
    with pytest.raises(Exception) as refused:
        trial.check(body, hashlib.sha256(body).hexdigest(), GOLDEN, SHORT)
    assert isinstance(refused.value, ModelFault), refused.value
    assert 10 < len(str(refused.value)) <= 400 and "Traceback" not in str(refused.value)
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("an endless loop", "takes more than 3 s"),
        ("16 GB when it predicts", "more memory than a model may use"),
        ("16 GB when it is opened", "more memory than a model may use"),
    ],
)
def test_what_would_stop_judge_is_named(kind: str, reason: str) -> None:
    with pytest.raises(ModelFault, match=reason):
        trial.check(BAD[kind], hashlib.sha256(BAD[kind]).hexdigest(), GOLDEN, SHORT)


def test_a_sound_model_passes() -> None:
    trial.check(LITTLE.body, LITTLE.sha256, GOLDEN)


def test_the_child_has_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    seen: dict[str, Any] = {}
    popen = trial.subprocess.Popen

    def noted(*words: Any, **named: Any) -> Any:
        seen.update(named["env"])
        return popen(*words, **named)

    monkeypatch.setattr(trial.subprocess, "Popen", noted)
    trial.check(LITTLE.body, LITTLE.sha256, GOLDEN)
    assert seen and not any(name.startswith("AWS_") for name in seen)


def test_the_old_version_keeps_serving(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.serve("regression", "flowers")
    monkeypatch.setattr(trial, "LIMITS", SHORT)
    run = cloud.claim("datasets/flowers/b.csv", b"more")["run"]
    answer = cloud.judged(
        "regression", run, files=trained(little("regression", run), **{names.MODEL_FILE: BAD["an endless loop"]})
    )
    assert answer["outcome"] == "refused" and "takes more than 3 s" in answer["reason"]
    live = cloud.registry.live("flowers")
    assert live is not None and live.version == "1"
