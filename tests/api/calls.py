"""Proxy events as API Gateway sends them, and what came back, read."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from dropforge.contract.routes import MODEL, ROUTES, VERSION
from dropforge.inference.openapi.document import answer_name, document
from lambdas.api.catalog.handler import handle as catalog
from lambdas.api.predict.handler import handle as predict

SCHEMAS = {route.key: answer_name(route) for route in ROUTES}
"""The schema of a right answer, by method and template."""


@dataclass(frozen=True)
class Reply:
    """A proxy response."""

    status: int
    body: Any
    blob: bytes = b""
    """What follows the JSON of the Open Inference Protocol."""

    @property
    def code(self) -> str:
        """The error's code."""
        return str(self.body["error"]["code"])

    @property
    def field(self) -> str | None:
        """The field that the error names."""
        field: str | None = self.body["error"]["field"]
        return field


def post(
    body: Any,
    model: str = "flowers",
    content_type: str | None = "application/json",
    version: str | None = None,
    **more: Any,
) -> Reply:
    """Predicts; `body` is sent as it is when it is a text, as JSON otherwise."""
    text = body if isinstance(body, str) else json.dumps(body)
    headers = {"Host": "api"} if content_type is None else {"Content-Type": content_type}
    event = proxy("POST", "/models/{model}/predict", {"model": model})
    if version is not None:
        path = {"model": model, "version": version}
        event = proxy("POST", "/models/{model}/versions/{version}/predict", path)
    event |= {"headers": headers, "body": text, **more}
    return read(predict(event, None), "Predictions")


def infer(
    document: Any,
    model: str = "flowers",
    blob: bytes = b"",
    version: str | None = None,
    query: dict[str, str] | None = None,
    **headers: str,
) -> Reply:
    """Infers by the Open Inference Protocol, as API Gateway passes it on; `blob` follows the JSON."""
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    if blob:
        headers = {"Inference-Header-Content-Length": str(len(text)), **headers}
    return v2("infer", model, text + blob, version, headers, query)


def v2(
    route: str,
    model: str,
    body: bytes | None,
    version: str | None = None,
    headers: Any = None,
    query: dict[str, str] | None = None,
) -> Reply:
    """One route of a model, or of one of its versions; an answer in JSON must be as the OpenAPI document says."""
    resource = (VERSION if version else MODEL) + (f"/{route}" if route else "")
    path = {"model": model, **({"version": version} if version else {})}
    event = proxy("POST" if route == "infer" else "GET", resource, path) | {"headers": headers}
    event |= {"queryStringParameters": query}
    if body is not None:
        event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    response = predict(event, None)
    if response.pop("isBase64Encoded", False):
        raw = base64.b64decode(response["body"])
        length = int(response["headers"]["Inference-Header-Content-Length"])
        validator("InferenceResponse").validate(json.loads(raw[:length]))
        return Reply(response["statusCode"], json.loads(raw[:length]), raw[length:])
    schema = {"infer": "InferenceResponse", "ready": "ModelReady", "": "ModelMetadata"}[route]
    return read(response, schema, "InferenceError")


def invoke(body: str, content_type: str = "application/json", accept: str | None = None) -> Reply:
    """One invocation; an answer in JSON must be as the OpenAPI document says."""
    headers = {"Content-Type": content_type, **({"Accept": accept} if accept else {})}
    event = proxy("POST", "/models/{model}/invocations", {"model": "flowers"}) | {"headers": headers, "body": body}
    response = predict(event, None)
    kind = response["headers"]["Content-Type"]
    if kind != "application/json":
        return Reply(response["statusCode"], response["body"])
    found = json.loads(response["body"])
    validator("Error" if response["statusCode"] >= 400 else "Invocations").validate(found)
    return Reply(response["statusCode"], found)


def get(resource: str, query: dict[str, str] | None = None, **path: str) -> Reply:
    """Asks the catalog; the answer must be as the OpenAPI document says."""
    event = proxy("GET", resource, path or None) | {"queryStringParameters": query}
    return read(catalog(event, None), SCHEMAS.get(("GET", resource), "Any"))


def proxy(method: str, resource: str, path: dict[str, str] | None) -> dict[str, Any]:
    """The parts that every event has."""
    empty = dict.fromkeys(("headers", "queryStringParameters", "body"))
    return {"httpMethod": method, "resource": resource, "pathParameters": path, "isBase64Encoded": False, **empty}


def read(response: dict[str, Any], schema: str, error: str = "Error") -> Reply:
    """The reply, checked against the OpenAPI document."""
    assert set(response) == {"statusCode", "headers", "body"}
    assert response["headers"]["Content-Type"] == "application/json"
    body = json.loads(response["body"])
    validator(error if response["statusCode"] >= 400 else schema).validate(body)
    return Reply(response["statusCode"], body)


@cache
def validator(schema: str) -> Draft202012Validator:
    """Of one schema of the OpenAPI document."""
    known = Registry().with_resource("urn:api", Resource(document(), DRAFT202012))
    return Draft202012Validator({"$ref": f"urn:api#/components/schemas/{schema}"}, registry=known)
