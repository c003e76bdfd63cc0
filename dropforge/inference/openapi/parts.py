"""Pieces that every part of the OpenAPI document is made of."""

from __future__ import annotations

from typing import Any

from dropforge.contract.names import MODEL_NAME

ERRORS = {
    "400": "Not JSON or CSV, or not the shape that is expected",
    "404": "No such model, version or run",
    "409": "The model's file is of before explanations were written: drop its data again",
    "413": "Too many rows, or too many bytes",
    "415": "Another content type than JSON, CSV or a picture",
    "422": "A missing or unknown column, a value of a wrong type, nothing to explain: the message names the field",
    "503": "The live model cannot be served at the moment",
}
MODEL = {
    "name": "model",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": f"^{MODEL_NAME.pattern}$"},
}
VERSION = {"name": "version", "in": "path", "required": True, "schema": {"type": "string"}}
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
