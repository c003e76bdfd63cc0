"""A function of one hot model: its routes name the model, and it is loaded before the first call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from dropforge.inference.http import Request
from lambdas.api.predict import handler
from lambdas.api.predict.warm import warm
from tests.api.calls import proxy
from tests.serving.little import little
from tests.steps.cloud import server

if TYPE_CHECKING:
    from tests.steps.cloud import Cloud


@pytest.mark.parametrize(
    ("resource", "path", "expected"),
    [
        ("/models/houses/predict", None, ("/models/{model}/predict", {"model": "houses"})),
        ("/models/houses", None, ("/models/{model}", {"model": "houses"})),
        ("/v2/models/houses/versions/{version}/infer", {"version": "2"},
         ("/v2/models/{model}/versions/{version}/infer", {"model": "houses", "version": "2"})),
        ("/models/{model}/predict", {"model": "a"}, ("/models/{model}/predict", {"model": "a"})),
        ("/models", None, ("/models", {})),
    ],
)  # fmt: skip
def test_a_route_that_names_its_model_is_the_route_of_all(
    resource: str, path: dict[str, str] | None, expected: tuple[str, dict[str, str]]
) -> None:
    request = Request.from_event(proxy("POST", resource, path))
    assert (request.resource, request.path) == expected


def test_the_hot_model_is_loaded_early_and_its_pointer_read_anew(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.serve("regression", "flowers")
    monkeypatch.setenv("HOT", "flowers")
    warm(handler.models())
    assert len(handler.models().held.loaded) == 1 and handler.models().pointers == {}
    event = proxy("POST", "/models/flowers/predict", None) | {"body": json.dumps(little("regression").rows(1))}
    assert handler.handle(event, None)["statusCode"] == 200


def test_a_hot_model_that_cannot_be_loaded_is_left_to_the_first_call(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = cloud.serve("regression", "flowers")
    cloud.s3.delete_object(Bucket="artifacts", Key=f"runs/{run}/model.onnx")
    for model in ("flowers", "nobody"):
        monkeypatch.setenv("HOT", model)
        warm(handler.models())
    assert "not warmed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "early"), [("on-demand", False), ("snap-start", True), ("provisioned-concurrency", True)]
)
def test_only_a_process_that_nobody_waits_for_imports_early(cloud: Cloud, kind: str, early: bool) -> None:  # noqa: ARG001
    code = "import sys, lambdas.api.predict.handler; print('onnxruntime' in sys.modules)"
    environment = {**os.environ, "AWS_LAMBDA_INITIALIZATION_TYPE": kind, "AWS_ENDPOINT_URL": server()}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(early)
