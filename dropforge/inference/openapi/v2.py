"""The part of the OpenAPI document that describes the Open Inference Protocol."""

from __future__ import annotations

from typing import Any

from dropforge.contract import routes
from dropforge.inference.openapi.parts import ERRORS, MODEL, TEXT, VALUE, VERSION, list_of, object_of, ref, responses

LENGTH = {
    "name": "Inference-Header-Content-Length",
    "in": "header",
    "description": "Bytes of the JSON; only where it is given, binary tensors follow the JSON",
    "schema": {"type": "integer", "minimum": 1},
}
BINARY = "application/octet-stream"
DATATYPES = ("BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64",
             "BF16", "BYTES")  # fmt: skip


def paths() -> dict[str, Any]:
    """Every route of the protocol."""
    found = {
        "/v2": {"get": _get("serverMetadata", "The server and its extensions", "ServerMetadata")},
        "/v2/health/live": {"get": _get("serverLive", "Whether the server lives", "Alive")},
        "/v2/health/ready": {"get": _get("serverReady", "Whether the server is ready", "Ready")},
    }
    for path, parameters, suffix in ((routes.MODEL, [MODEL], ""), (routes.VERSION, [MODEL, VERSION], "Version")):
        metadata = _get(f"modelMetadata{suffix}", "Inputs and outputs of a model", "ModelMetadata", parameters)
        ready = _get(f"modelReady{suffix}", "Whether a model can be served", "ModelReady", parameters)
        found |= {path: {"get": metadata}, f"{path}/ready": {"get": ready}}
        found[f"{path}/infer"] = {"post": _infer(f"infer{suffix}", parameters)}
    return found


def _get(name: str, summary: str, schema: str, parameters: Any = ()) -> dict[str, Any]:
    wrong = ["404", "503"] if parameters else []
    operation = {"operationId": name, "summary": summary, "responses": responses(schema, wrong, "InferenceError")}
    return {**operation, "parameters": list(parameters)} if parameters else operation


def _infer(name: str, parameters: list[Any]) -> dict[str, Any]:
    answers = responses("InferenceResponse", [each for each in ERRORS if each != "409"], "InferenceError")
    answers["200"]["content"][BINARY] = {"schema": {}}
    return {
        "operationId": name,
        "summary": "Predictions by the Open Inference Protocol",
        "parameters": [*parameters, LENGTH],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": ref("InferenceRequest")}, BINARY: {"schema": {}}},
        },
        "responses": answers,
    }


def schemas() -> dict[str, Any]:
    """Every body of the protocol."""
    number = {"type": "integer", "minimum": 0}
    parameters = {"type": "object", "description": "binary_data_size, binary_data, binary_data_output, content_type"}
    tensor = {"name": TEXT, "shape": list_of(number), "datatype": {"enum": list(DATATYPES)}}
    given = object_of(tensor)
    given["properties"] = {**tensor, "parameters": parameters, "data": list_of({"anyOf": [VALUE, list_of({})]})}
    request = object_of({"inputs": {**list_of(given), "minItems": 1}})
    wanted = object_of({"name": TEXT})
    wanted["properties"]["parameters"] = parameters
    request["properties"] |= {"id": TEXT, "parameters": parameters, "outputs": list_of(wanted)}
    response = object_of({"model_name": TEXT, "model_version": TEXT, "outputs": list_of(given)})
    response["properties"] |= {"id": TEXT, "parameters": parameters}
    described = list_of(object_of({**tensor, "shape": list_of({"type": "integer", "minimum": -1})}))
    return {
        "InferenceRequest": request,
        "InferenceResponse": response,
        "InferenceError": object_of({"error": TEXT}),
        "ServerMetadata": object_of({"name": TEXT, "version": TEXT, "extensions": list_of(TEXT)}),
        "Alive": object_of({"live": {"const": True}}),
        "Ready": object_of({"ready": {"const": True}}),
        "ModelReady": object_of({"name": TEXT, "ready": {"const": True}}),
        "ModelMetadata": object_of(
            {"name": TEXT, "versions": list_of(TEXT), "platform": TEXT, "inputs": described, "outputs": described}
        ),
    }
