"""The routes of the function Predict, so that API Gateway, the server off AWS and the function agree on every one."""

from __future__ import annotations

PREDICT = "/models/{model}/predict"
PREDICT_VERSION = "/models/{model}/versions/{version}/predict"
MODEL = "/v2/models/{model}"
VERSION = f"{MODEL}/versions/{{version}}"

SIMPLE = {PREDICT: "POST", PREDICT_VERSION: "POST"}
"""Template to method: the API of Dropforge itself."""

INFERENCE = {
    "/v2": "GET",
    "/v2/health/live": "GET",
    "/v2/health/ready": "GET",
    **{path: "GET" for one in (MODEL, VERSION) for path in (one, f"{one}/ready")},
    **{f"{one}/infer": "POST" for one in (MODEL, VERSION)},
}
"""Open Inference Protocol, version 2."""

SAGEMAKER = {"/models/{model}/invocations": "POST", "/models/{model}/ping": "GET"}
"""What SageMaker asks of a container, a model at a time."""

ALL = {**SIMPLE, **SAGEMAKER, **INFERENCE}
