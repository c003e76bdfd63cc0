"""The routes of the functions Predict and Catalog, so that API Gateway, the functions and the server off AWS agree."""

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
"""The routes of Predict."""

CATALOG = (
    "/models",
    "/models/{model}",
    "/models/{model}/versions",
    "/models/{model}/versions/{version}",
    "/models/{model}/history",
    "/runs",
    "/runs/{run}",
    "/openapi.json",
)
"""What is registered; every one is a GET."""
