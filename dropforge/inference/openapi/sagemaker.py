"""The part of the OpenAPI document that describes what SageMaker asks of a container."""

from __future__ import annotations

from typing import Any

from dropforge.contract import routes
from dropforge.inference.openapi.parts import ERRORS, MODEL, TEXT, VALUE, list_of, object_of, ref, responses

INVOCATIONS, PING = routes.SAGEMAKER


def paths() -> dict[str, Any]:
    """Both routes."""
    answers = responses("Invocations", [each for each in ERRORS if each != "409"])
    answers["406"] = {**answers["400"], "description": "Another type in Accept than JSON, JSON lines or CSV"}
    answers["200"]["content"] |= {"text/csv": {"schema": TEXT}, "application/jsonlines": {"schema": TEXT}}
    content = {"application/json": {"schema": ref("Instances")}, "text/csv": {"schema": TEXT}}
    return {
        INVOCATIONS: {
            "post": {
                "operationId": "invocations",
                "summary": "Predictions as SageMaker's built-in containers give them",
                "parameters": [MODEL],
                "requestBody": {"required": True, "content": {**content, "application/jsonlines": {"schema": TEXT}}},
                "responses": answers,
            }
        },
        PING: {
            "get": {
                "operationId": "ping",
                "summary": "Whether a model can be served",
                "parameters": [MODEL],
                "responses": responses("Any", ["404", "503"]),
            }
        },
    }


def schemas() -> dict[str, Any]:
    """Bodies of the invocations."""
    label = {"type": ["string", "number", "boolean"]}
    one = object_of({"score": {"anyOf": [{"type": "number"}, list_of({"type": "number"})]}})
    one["properties"] |= {"predicted_label": label, "recommendations": list_of({"type": "object"})}
    row = {"anyOf": [list_of(VALUE), {"type": "object"}]}
    instances = {"anyOf": [object_of({"instances": list_of(row)}), list_of(row), ref("Rows")]}
    return {"Instances": instances, "Invocations": object_of({"predictions": list_of(one)})}
