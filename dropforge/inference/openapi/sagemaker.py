"""The part of the OpenAPI document that describes what SageMaker asks of a container."""

from __future__ import annotations

from typing import Any

from dropforge.inference.openapi.parts import TEXT, VALUE, list_of, object_of, ref

BODIES: dict[str, dict[str, Any]] = {
    "Instances": {
        "application/json": {"schema": ref("Instances")},
        "text/csv": {"schema": TEXT},
        "application/jsonlines": {"schema": TEXT},
    }
}
"""Media types of requests."""

ANSWERS: dict[str, dict[str, Any]] = {
    "Invocations": {"text/csv": {"schema": TEXT}, "application/jsonlines": {"schema": TEXT}}
}
"""Media types of answers besides JSON."""


def schemas() -> dict[str, Any]:
    """Bodies of the invocations."""
    label = {"type": ["string", "number", "boolean"]}
    one = object_of({"score": {"anyOf": [{"type": "number"}, list_of({"type": "number"})]}})
    one["properties"] |= {"predicted_label": label, "recommendations": list_of({"type": "object"})}
    row = {"anyOf": [list_of(VALUE), {"type": "object"}]}
    instances = {"anyOf": [object_of({"instances": list_of(row)}), list_of(row), ref("Rows")]}
    return {"Instances": instances, "Invocations": object_of({"predictions": list_of(one)})}
