"""The Open Inference Protocol over proxy events: the answers of the simple API, in JSON and in binary."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from dropforge.contract.registry import LiveRow
from dropforge.inference.model import likeliest
from dropforge.inference.protocols.v2.datatypes import NUMPY, parts_of
from dropforge.inference.protocols.v2.outputs import response
from dropforge.inference.protocols.v2.wire import read
from lambdas.api.predict.handler import handle
from tests.api.calls import infer, post, proxy, v2
from tests.api.tensors import in_binary, output, tensors
from tests.serving.little import TASKS, Little, little

if TYPE_CHECKING:
    from tests.steps.cloud import Cloud


@pytest.fixture
def made(cloud: Cloud) -> Little:
    """A live model of three integer classes."""
    return little("multiclass", cloud.serve("multiclass", "flowers"))


@pytest.mark.parametrize("task", TASKS)
def test_the_same_answers_as_the_simple_api(cloud: Cloud, task: str) -> None:
    made = little(task, cloud.serve(task, "flowers"))
    simple = post(made.rows(12)).body
    given = tensors(made, 12)
    heads, blob = in_binary(given)
    for reply in (infer({"inputs": given, "id": "a1"}), infer({"inputs": heads, "id": "a1"}, blob=blob)):
        assert (reply.status, reply.body["id"]) == (200, "a1")
        assert (reply.body["model_name"], reply.body["model_version"]) == ("flowers", "1")
        assert output(reply, "prediction") == simple["predictions"]
        if task != "regression":
            shares = [value for row in simple["probabilities"] for value in row.values()]
            assert output(reply, "probabilities") == shares


def test_binary_answers(made: Little) -> None:
    simple = post(made.rows(3)).body
    reply = infer({"inputs": tensors(made, 3), "parameters": {"binary_data_output": True}})
    described = {each["name"]: each for each in reply.body["outputs"]}
    assert described["prediction"]["datatype"] == "INT64"
    sizes = [each["parameters"]["binary_data_size"] for each in reply.body["outputs"]]
    assert (sizes, len(reply.blob)) == ([24, 36, 114], 174)
    assert np.frombuffer(reply.blob[:24], "<i8").tolist() == simple["predictions"]
    shares = [list(row.values()) for row in simple["probabilities"]]
    assert np.frombuffer(reply.blob[24:60], "<f4").reshape(3, 3).tolist() == shares


@pytest.mark.parametrize("classes", [("benign", "malignant"), ("größer", ""), ("a", "b", "longer")])
@pytest.mark.parametrize("rows", [1, 199, 200, 203, 1000])
def test_labels_of_texts_are_packed_whatever_their_number(classes: tuple[str, ...], rows: int) -> None:
    card = replace(little("binary").card, classes=classes, label_type="text")
    shares = np.random.default_rng(rows).random((rows, len(classes)), np.float32)
    labels = [classes[at] for at in shares.argmax(axis=1)]
    row = LiveRow("m", "1", "run-0123456789abcdef", "model.onnx", "0" * 64, 1, "2026-11-01T12:00:00+00:00")
    asked = read(b'{"inputs": [{}], "outputs": [{"name": "prediction", "parameters": {"binary_data": true}}]}', None)
    made = response(asked, row, card, {"prediction": likeliest(shares)[:, np.newaxis], "probabilities": shares}, [])
    length = int(made.headers["Inference-Header-Content-Length"])
    assert parts_of(memoryview(made.body)[length:]) == [label.encode() for label in labels]


def test_outputs_are_chosen_one_by_one(made: Little) -> None:
    asked = [{"name": "ids"}, {"name": "probabilities", "parameters": {"binary_data": True}}]
    reply = infer({"inputs": tensors(made, 2), "outputs": asked})
    assert [each["name"] for each in reply.body["outputs"]] == ["ids", "probabilities"]
    assert len(set(output(reply, "ids"))) == 2 and len(reply.blob) == 24
    back = infer({"inputs": tensors(made, 2), "outputs": [{"name": "prediction"}]})
    assert len(back.body["outputs"]) == 1
    bad = infer({"inputs": tensors(made, 2), "outputs": [{"name": "odds"}]})
    assert bad.status == 422 and "outputs.odds" in bad.body["error"] and "'probabilities'" in bad.body["error"]


@pytest.mark.parametrize("task", TASKS)
def test_metadata_and_readiness(cloud: Cloud, task: str) -> None:
    cloud.serve(task, "flowers")
    metadata = v2("", "flowers", None).body
    assert metadata["versions"] == ["1"]
    assert [each["name"] for each in metadata["inputs"]] == ["x0", "x1", "x2", "x3", "colour"]
    assert [each["datatype"] for each in metadata["inputs"]] == ["FP32"] * 4 + ["BYTES"]
    kinds = {each["name"]: (each["datatype"], each["shape"]) for each in metadata["outputs"]}
    labels = {"regression": "FP32", "binary": "BOOL", "multiclass": "INT64"}[task]
    assert kinds["prediction"] == (labels, [-1, 1])
    assert kinds.get("probabilities", ("FP32", [-1, 0]))[1][1] == {"regression": 0, "binary": 2, "multiclass": 3}[task]
    assert v2("ready", "flowers", None).body == {"name": "flowers", "ready": True}
    assert v2("", "flowers", None, version="1").body == metadata
    assert infer({"inputs": tensors(little(task), 1)}, version="1").status == 200
    for reply in (v2("ready", "trees", None), v2("", "flowers", None, version="7"), infer({}, version="x" * 5000)):
        assert reply.status == 404 and len(reply.body["error"]) < 300


@pytest.mark.parametrize("path", ["/v2", "/v2/health/live", "/v2/health/ready"])
def test_the_server_speaks_of_itself(cloud: Cloud, path: str) -> None:  # noqa: ARG001
    response = handle(proxy("GET", path, None), None)
    body = json.loads(response["body"])
    assert response["statusCode"] == 200
    assert body.get("live", body.get("ready", body.get("extensions"))) in (True, ["binary_tensor_data"])


def test_every_number_is_cast(made: Little) -> None:
    whole = [{**row, **{f"x{at}": at + 1 for at in range(4)}} for row in made.rows(2)]
    simple = post(whole).body["probabilities"]
    for datatype in NUMPY:
        if datatype in ("BOOL", "BF16"):
            continue
        given = [
            {"name": f"x{at}", "shape": [2], "datatype": datatype, "data": [at + 1, at + 1]} for at in range(4)
        ] + [tensors(made, 2)[4]]
        heads, blob = in_binary(given)
        for reply in (infer({"inputs": given}), infer({"inputs": heads}, blob=blob)):
            assert output(reply, "probabilities") == [value for row in simple for value in row.values()], datatype


def test_half_a_float32_is_a_number_too(made: Little) -> None:
    rows = [{**row, **dict.fromkeys(["x0", "x1", "x2", "x3"], 1.5)} for row in made.rows(2)]
    simple = post(rows).body["probabilities"]
    brain = struct.pack("<HH", 0x3FC0, 0x3FC0)
    heads = [{"name": f"x{at}", "shape": [2, 1], "datatype": "BF16", "parameters": {"binary_data_size": 4}}
             for at in range(4)]  # fmt: skip
    reply = infer({"inputs": [*heads, tensors(made, 2)[4]]}, blob=brain * 4)
    assert output(reply, "probabilities") == [value for row in simple for value in row.values()]


def test_numbers_that_name_things_are_the_texts_of_the_simple_api(made: Little) -> None:
    rows = made.rows(1)
    for value, datatype in ((5, "INT32"), (5.5, "FP32"), (0.1, "FP32"), (True, "BOOL"), (None, "FP64")):
        simple = post([{**rows[0], "colour": value}])
        given = [*tensors(made, 1)[:4], {"name": "colour", "shape": [1], "datatype": datatype, "data": [value]}]
        heads, blob = in_binary(given[4:])
        for reply in (infer({"inputs": given}), infer({"inputs": [*given[:4], *heads]}, blob=blob)):
            assert output(reply, "prediction") == simple.body["predictions"]


def test_a_nested_tensor_and_an_ignored_one(made: Little) -> None:
    given = tensors(made, 4)
    given[0]["data"] = [[value] for value in given[0]["data"]]
    given.append({"name": "row", "shape": [4], "datatype": "INT64", "data": [1, 2, 3, 4]})
    assert output(infer({"inputs": given}), "prediction") == post(made.rows(4)).body["predictions"]


def test_columns_of_pandas_come_back_as_columns(made: Little) -> None:
    given = tensors(made, 3)
    given[4] |= {"data": [json.dumps(value) for value in given[4]["data"]], "parameters": {"content_type": "pd_json"}}
    reply = infer({"inputs": given, "parameters": {"content_type": "pd"}})
    simple = post(made.rows(3)).body
    shares = [f"probability_{at}" for at in range(3)]
    assert [each["name"] for each in reply.body["outputs"]] == ["prediction", *shares, "ids"]
    assert output(reply, "probability_1") == [row["1"] for row in simple["probabilities"]]
    assert reply.body["parameters"] == {"content_type": "pd"}


def test_an_answer_that_is_not_finite_is_the_caller_s_to_mend(cloud: Cloud) -> None:
    made = little("regression", cloud.serve("regression", "flowers"))
    given = tensors(made, 2)
    for at, value in enumerate([3e38, 3e38, 3e38, -3e38]):
        given[at]["data"] = [1, value]
    reply = infer({"inputs": given})
    assert reply.status == 422 and reply.body["error"].startswith("rows[1]: the model has no finite answer")


def test_a_model_that_cannot_be_loaded_is_not_ready(cloud: Cloud, made: Little) -> None:
    live = cloud.registry.live("flowers")
    assert live is not None
    cloud.s3.delete_object(Bucket="artifacts", Key=live.artifact)
    for reply in (v2("ready", "flowers", None), infer({"inputs": tensors(made, 1)})):
        assert reply.status == 503 and "its owner has been told" in reply.body["error"]


def test_half_a_surrogate_pair_in_an_id_comes_back(made: Little) -> None:
    reply = infer(json.dumps({"id": "\ud800", "inputs": tensors(made, 1)}).encode())
    assert (reply.status, reply.body["id"]) == (200, "\ud800")
