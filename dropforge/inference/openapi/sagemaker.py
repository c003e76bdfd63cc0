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
    one["properties"] |= {"predicted_label": label, "recommendations": list_of(ref("ShownItem"))}
    row = {"anyOf": [list_of(VALUE), ref("Row")]}
    forms = [ref("InstanceList"), list_of(row), ref("RowsOfRows"), ref("RowsOfColumns")]
    return {
        "InstanceList": object_of({"instances": list_of(row)}),
        "Instances": {"anyOf": forms},
        "ShownItem": {"type": "object"},
        "Invocation": one,
        "Invocations": object_of({"predictions": list_of(ref("Invocation"))}),
    }
