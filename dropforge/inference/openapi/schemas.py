"""JSON schemas of the contract's own types, so that the API's description cannot fall behind what is answered."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any

from dropforge.contract.documents import Document, Record, fields

PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schema_of(kind: Any) -> dict[str, Any]:
    """The schema of a record's or a document's JSON."""
    hints = typing.get_type_hints(kind)
    properties = {field.name: _of(hints[field.name]) for field in fields(kind)}
    if issubclass(kind, Document):
        properties = {"schema": {"const": kind.SCHEMA}, **properties}
    return {"type": "object", "required": list(properties), "properties": properties}


def _of(hint: Any) -> dict[str, Any]:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return {}
    if origin in (typing.Union, types.UnionType):
        choices = [_of(each) for each in inner if each is not type(None)]
        return {"anyOf": [*choices, {"type": "null"}]} if type(None) in inner else {"anyOf": choices}
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if origin is tuple:
        return {"type": "array", "items": _of(inner[0])}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _of(inner[1])}
    return schema_of(hint) if issubclass(hint, Record) else {"type": PLAIN[hint]}
