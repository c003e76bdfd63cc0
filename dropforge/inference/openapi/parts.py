"""Pieces that every part of the OpenAPI document is made of."""

from __future__ import annotations

from typing import Any

from dropforge.contract.names import MODEL_NAME

ERRORS = {
    400: "Not JSON or CSV, or not the shape that is expected",
    404: "No such model, version or run",
    406: "Another type in Accept than JSON, JSON lines or CSV",
    409: "The model's file is of before explanations were written: drop its data again",
    413: "Too many rows, or too many bytes",
    415: "Another content type than JSON, CSV or a picture",
    422: "A missing or unknown column, a value of a wrong type, nothing to explain: the message names the field",
    503: "The live model cannot be served at the moment",
}
"""What the statuses mean."""

TEXT = {"type": "string"}
VALUE = {"type": ["string", "number", "boolean", "null"]}
BYTES = {"type": "string", "format": "binary"}
"""A body that is no text; generators of clients know it by its format, which OpenAPI 3.1 allows."""

PARAMETERS: dict[str, dict[str, Any]] = {
    name: {"name": name, "in": "path", "required": True, "schema": schema}
    for name, schema in {
        "model": {"type": "string", "pattern": f"^{MODEL_NAME.pattern}$"},
        "version": TEXT,
        "run": TEXT,
    }.items()
}
"""The parameters of paths, by name."""


def ref(name: str) -> dict[str, str]:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def object_of(fields: dict[str, Any]) -> dict[str, Any]:
    """An object that has all of these fields."""
    return {"type": "object", "required": list(fields), "properties": fields}


def list_of(item: Any) -> dict[str, Any]:
    """A list of such items."""
    return {"type": "array", "items": item}
