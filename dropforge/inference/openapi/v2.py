"""The part of the OpenAPI document that describes the Open Inference Protocol."""

from __future__ import annotations

from typing import Any

from dropforge.inference.openapi.parts import BYTES, TEXT, VALUE, list_of, object_of, ref

LENGTH = {
    "name": "Inference-Header-Content-Length",
    "in": "header",
    "description": "Bytes of the JSON; only where it is given, binary tensors follow the JSON",
    "schema": {"type": "integer", "minimum": 1},
}
BINARY = "application/octet-stream"
DATATYPES = ("BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64",
             "BF16", "BYTES")  # fmt: skip


BODIES: dict[str, dict[str, Any]] = {
    "InferenceRequest": {"application/json": {"schema": ref("InferenceRequest")}, BINARY: {"schema": BYTES}}
}
"""Media types of requests."""

ANSWERS: dict[str, dict[str, Any]] = {"InferenceResponse": {BINARY: {"schema": BYTES}}}
"""Media types of answers besides JSON."""

HEADERS = {"InferenceRequest": [LENGTH]}
"""Headers that go with a body."""


def schemas() -> dict[str, Any]:
    """Every body of the protocol."""
    number = {"type": "integer", "minimum": 0}
    parameters = {"type": "object", "description": "binary_data_size, binary_data, binary_data_output, content_type"}
    tensor = {"name": TEXT, "shape": list_of(number), "datatype": ref("Datatype")}
    given = object_of(tensor)
    given["properties"] = {**tensor, "parameters": parameters, "data": list_of({"anyOf": [VALUE, list_of({})]})}
    request = object_of({"inputs": {**list_of(ref("Tensor")), "minItems": 1}})
    wanted = object_of({"name": TEXT})
    wanted["properties"]["parameters"] = parameters
    request["properties"] |= {"id": TEXT, "parameters": parameters, "outputs": list_of(ref("WantedOutput"))}
    response = object_of({"model_name": TEXT, "model_version": TEXT, "outputs": list_of(ref("Tensor"))})
    response["properties"] |= {"id": TEXT, "parameters": parameters}
    described = list_of(ref("TensorMetadata"))
    return {
        "Datatype": {"type": "string", "enum": list(DATATYPES)},
        "Tensor": given,
        "TensorMetadata": object_of({**tensor, "shape": list_of({"type": "integer", "minimum": -1})}),
        "WantedOutput": wanted,
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
