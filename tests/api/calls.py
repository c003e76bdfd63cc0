"""Proxy events as API Gateway sends them, and what came back, read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from lambdas.catalog.handler import handle as catalog
from lambdas.catalog.openapi import document
from lambdas.predict.handler import handle as predict

SCHEMAS = {
    "listModels": "Models", "showModel": "Model", "showVersion": "Version", "listRuns": "Runs", "showRun": "Run",
}  # fmt: skip


@dataclass(frozen=True)
class Reply:
    """A proxy response."""

    status: int
    body: Any

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


def get(resource: str, query: dict[str, str] | None = None, **path: str) -> Reply:
    """Asks the catalog; the answer must be as the OpenAPI document says."""
    operation = document()["paths"].get(resource, {}).get("get", {})
    event = proxy("GET", resource, path or None) | {"queryStringParameters": query}
    return read(catalog(event, None), SCHEMAS.get(operation.get("operationId", ""), "Any"))


def proxy(method: str, resource: str, path: dict[str, str] | None) -> dict[str, Any]:
    """The parts that every event has."""
    empty = dict.fromkeys(("headers", "queryStringParameters", "body"))
    return {"httpMethod": method, "resource": resource, "pathParameters": path, "isBase64Encoded": False, **empty}


def read(response: dict[str, Any], schema: str) -> Reply:
    """The reply, checked against the OpenAPI document."""
    assert set(response) == {"statusCode", "headers", "body"}
    assert response["headers"]["Content-Type"] == "application/json"
    body = json.loads(response["body"])
    validator("Error" if response["statusCode"] >= 400 else schema).validate(body)
    return Reply(response["statusCode"], body)


@cache
def validator(schema: str) -> Draft202012Validator:
    """Of one schema of the OpenAPI document."""
    known = Registry().with_resource("urn:api", Resource(document(), DRAFT202012))
    return Draft202012Validator({"$ref": f"urn:api#/components/schemas/{schema}"}, registry=known)
