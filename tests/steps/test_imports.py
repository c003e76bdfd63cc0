"""A handler's import is cheap: what it costs, every cold start costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.serving.little import little
from tests.steps.cloud import server

if TYPE_CHECKING:
    from tests.steps.cloud import Cloud

HEAVY = ("boto3", "torch", "polars", "onnx", "sklearn")


@pytest.mark.parametrize(
    ("step", "heavy"),
    [
        ("api.predict", (*HEAVY, "botocore", "onnxruntime", "PIL")),
        ("api.catalog", (*HEAVY, "botocore", "numpy", "dropforge.inference.openapi")),
        ("pipeline.judge", (*HEAVY, "onnxruntime", "PIL")),
        ("pipeline.claim", (*HEAVY, "numpy")),
        ("batch.answer", (*HEAVY, "onnxruntime", "PIL", "dropforge.datasets")),
        ("batch.join", (*HEAVY, "numpy")),
        ("batch.plan", ("torch", "onnx", "onnxruntime", "sklearn", "yaml", "PIL")),
    ],
)
def test_what_importing_a_handler_loads(step: str, heavy: tuple[str, ...]) -> None:
    code = f"import json, sys, lambdas.{step}.handler; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert not set(heavy) & set(json.loads(done.stdout))


COLD = """
import json, sys
from lambdas.api.predict.handler import handle
answers = [handle(event, None) for event in json.load(sys.stdin)]
print(json.dumps([[answer["statusCode"], json.loads(answer["body"])] for answer in answers]))
print(json.dumps(list(sys.modules)))
"""
NEVER = (*HEAVY, "botocore", "s3transfer", "urllib3", "pydantic", "http.client", "email", "asyncio", "PIL",
         "dropforge.contract.api", "dropforge.contract.routes")  # fmt: skip


def test_a_cold_predict_answers_without_boto3(cloud: Cloud) -> None:
    """From nothing to an answer of the live model and of a version, and a refusal: the whole way of a cold start."""
    cloud.serve("regression", "flowers")
    body = json.dumps(little("regression").rows(2))
    resource = {"/models/{model}/predict": {}, "/models/{model}/versions/{version}/predict": {"version": "1"}}
    events = [
        {"httpMethod": "POST", "resource": each, "pathParameters": {"model": "flowers", **more}, "body": body}
        for each, more in resource.items()
    ]
    events.append({**events[0], "pathParameters": {"model": "none"}})
    environment = {**os.environ, "AWS_ENDPOINT_URL": server()}
    done = subprocess.run(
        [sys.executable, "-c", COLD],
        input=json.dumps(events),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    answers, modules = map(json.loads, done.stdout.splitlines())
    assert [status for status, _ in answers] == [200, 200, 404]
    assert answers[0][1]["predictions"] == answers[1][1]["predictions"]
    assert set(NEVER) & set(modules) == set()
