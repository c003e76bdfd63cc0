"""Versions by their number: each answers as it did when it was live, and what cannot answer says what can."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lambdas.api.predict.handler import handle as predict
from tests.api.calls import get, post, proxy
from tests.serving.little import little, trained, worse
from tests.steps.cloud import HANDLERS

if TYPE_CHECKING:
    from tests.steps.cloud import Cloud

ROWS = little("regression").rows(4)


@pytest.fixture
def three(cloud: Cloud) -> Cloud:
    """Version 1 worse than the baseline's judge would take it for, 2 live, 3 refused."""
    first = cloud.claim("datasets/flowers/a.csv", b"one")["run"]
    weak = worse(little("regression", first, "flowers"))
    answer = cloud.judged("regression", first, files=trained(weak))
    for outcome, run in ((answer["outcome"], first),):
        HANDLERS["register"]({"run": run, "model": "flowers", "outcome": outcome, "reason": ""}, None)
        HANDLERS["promote"]({"run": run, "model": "flowers", "version": "1"}, None)
    cloud.serve("regression", "flowers", "datasets/flowers/b.csv", b"two")
    third = cloud.claim("datasets/flowers/c.csv", b"three")["run"]
    cloud.judged("regression", third)
    HANDLERS["register"]({"run": third, "model": "flowers", "outcome": "refused", "reason": "worse"}, None)
    return cloud


def test_every_approved_version_answers_with_its_own_model(three: Cloud) -> None:
    live, one, two = post(ROWS), post(ROWS, version="1"), post(ROWS, version="2")
    assert [each.status for each in (live, one, two)] == [200, 200, 200]
    assert (live.body["version"], one.body["version"], two.body["version"]) == ("2", "1", "2")
    assert two.body["predictions"] == live.body["predictions"] != one.body["predictions"]
    columns = {name: values[:4] for name, values in little("regression").columns.items()}
    expected = worse(little("regression")).expected(columns)
    assert one.body["predictions"] == pytest.approx(expected.tolist(), rel=1e-5)
    assert three.registry.live("flowers") is not None


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("3", "'3': it was refused (worse); expected one of: 2, 1"),
        ("4", "'4': there is none; expected one of: 2, 1"),
        ("01", "'01': there is none; expected one of: 2, 1"),
        ("x" * 5000, "there is none; expected one of: 2, 1"),
        ("１", "there is none"),
    ],
)
def test_a_version_that_cannot_answer_says_which_can(three: Cloud, version: str, why: str) -> None:  # noqa: ARG001
    reply = post(ROWS, version=version)
    assert (reply.status, reply.code) == (404, "no_such_version")
    assert why in reply.body["error"]["message"] and len(reply.body["error"]["message"]) < 200


def test_versions_of_a_model_that_nobody_has(cloud: Cloud) -> None:  # noqa: ARG001
    assert post(ROWS, "trees", version="1").code == "no_such_model"


def test_a_version_s_page(three: Cloud) -> None:
    assert three.registry.version("flowers", "3") is not None
    page = get("/models/{model}/versions/{version}", model="flowers", version="3").body
    assert (page["version"], page["outcome"], page["reason"]) == ("3", "refused", "worse")
    reply = get("/models/{model}/versions/{version}", model="flowers", version="9")
    assert reply.status == 404 and "GET /models/flowers/versions lists" in reply.body["error"]["message"]
    assert get("/models/{model}/versions/{version}", model="Bad Name", version="1").status == 404


def test_versions_by_the_open_inference_protocol(three: Cloud) -> None:
    assert three.registry.version("flowers", "1") is not None
    columns = {name: values[:2] for name, values in little("regression").columns.items()}
    kinds = {name: "BYTES" if name == "colour" else "FP32" for name in columns}
    inputs = [
        {"name": name, "shape": [2, 1], "datatype": kinds[name], "data": values} for name, values in columns.items()
    ]
    path = {"model": "flowers", "version": "1"}
    event = proxy("POST", "/v2/models/{model}/versions/{version}/infer", path)
    answer = predict(event | {"body": json.dumps({"inputs": inputs})}, None)
    body = json.loads(answer["body"])
    assert answer["statusCode"] == 200, body
    assert body["model_version"] == "1"
    expected = worse(little("regression")).expected(columns)
    assert body["outputs"][0]["data"] == pytest.approx(expected.tolist(), rel=1e-5)
    refused = predict(proxy("GET", "/v2/models/{model}/versions/{version}", {**path, "version": "3"}), None)
    assert refused["statusCode"] == 404 and "expected one of: 2, 1" in refused["body"]
