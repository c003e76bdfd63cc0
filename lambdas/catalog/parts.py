"""Pieces that every part of the OpenAPI document is made of."""

from __future__ import annotations

from typing import Any

from dropforge.contract.names import MODEL_NAME

ERRORS = {
    "400": "Not JSON or CSV, or not the shape that is expected",
    "404": "No such model or run",
    "413": "Too many rows, or too many bytes",
    "415": "Another content type than JSON, CSV or a picture",
    "422": "A missing or unknown column, or a value of a wrong type: the message names the field",
    "503": "The live model cannot be served at the moment",
}
MODEL = {
    "name": "model",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": f"^{MODEL_NAME.pattern}$"},
}
TEXT = {"type": "string"}
VALUE = {"type": ["string", "number", "boolean", "null"]}


def responses(schema: str, errors: list[str], error: str = "Error") -> dict[str, Any]:
    """The right answer and the wrong ones."""
    right: dict[str, Any] = {
        "200": {"description": "The answer", "content": {"application/json": {"schema": ref(schema)}}}
    }
    wrong: dict[str, Any] = {"description": "", "content": {"application/json": {"schema": ref(error)}}}
    return {**right, **{status: {**wrong, "description": ERRORS[status]} for status in errors}}


def ref(name: str) -> dict[str, str]:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def object_of(fields: dict[str, Any]) -> dict[str, Any]:
    """An object that has all of these fields."""
    return {"type": "object", "required": list(fields), "properties": fields}


def list_of(item: Any) -> dict[str, Any]:
    """A list of such items."""
    return {"type": "array", "items": item}
