"""JSON schemas of the contract's own types, so that the API's description cannot fall behind what is answered.

A record that clients meet by itself is a component of the document, under its class's name or the one in `NAMES`;
elsewhere it is a reference to that. Any other record is written out where it is used.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any

from dropforge.contract import api
from dropforge.contract.documents import Document, fields
from dropforge.contract.models import LiveRow, VersionRow
from dropforge.contract.registry import RUN_KINDS, RunRow
from dropforge.contract.schema import ModelCard
from dropforge.contract.steps import ShownStatus, Status
from dropforge.inference.openapi.parts import ref

PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", types.NoneType: "null"}
NAMES: dict[Any, str] = {
    ModelCard: "Card",
    VersionRow: "Version",
    LiveRow: "Live",
    RunRow: "Run",
    api.ModelList: "Models",
    api.ModelPage: "Model",
    api.ServedModelPage: "Model",
    api.VersionList: "Versions",
    api.MoveList: "History",
    api.RunList: "Runs",
    api.ModelLine: "ModelLine",
    api.Explanation: "Explanation",
}
"""Components by their record: `ServedModelPage` is what the server off AWS answers in the place of `ModelPage`."""

KINDS: dict[Any, tuple[Any, ...]] = {RunRow: RUN_KINDS}
"""Records that have several kinds, each with the fields of all of them in its JSON."""

SURE: dict[Any, Any] = {ShownStatus: Status}
"""Types that a reader must allow, to the narrower ones that the API itself answers."""


def name_of(kind: Any) -> str:
    """The name of a record's component."""
    return NAMES.get(kind) or str(kind.__name__)


def components(kinds: typing.Iterable[Any]) -> dict[str, Any]:
    """The schemas of these records, and of all named ones that they hold."""
    schemas: dict[str, Any] = {}
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop(0)
        if name_of(kind) not in schemas:
            inner: list[Any] = []
            schemas[name_of(kind)] = schema_of(kind, inner)
            waiting += inner
    return schemas


def schema_of(kind: Any, inner: list[Any]) -> dict[str, Any]:
    """The schema of the JSON of a record, a document or a typed dictionary; `inner` gets the records it refers to."""
    kinds = (*KINDS.get(kind, ()), kind)
    hints = {name: hint for each in kinds for name, hint in typing.get_type_hints(each, include_extras=True).items()}
    names = list(hints) if typing.is_typeddict(kind) else [field.name for each in kinds for field in fields(each)]
    properties = {name: _of(hints[name], inner) for name in names}
    required = [name for name in properties if _described(hints[name]).always]
    if not typing.is_typeddict(kind) and issubclass(kind, Document):
        properties = {"schema": {"const": kind.SCHEMA}, **properties}
        required = ["schema", *required]
    return {"type": "object", "required": required, "properties": properties}


def _described(hint: Any) -> api.Described:
    notes = getattr(hint, "__metadata__", ())
    return next((note for note in notes if isinstance(note, api.Described)), api.Described())


def _of(hint: Any, inner: list[Any]) -> dict[str, Any]:
    """The schema of a field by its type; `inner` gets the records that it refers to."""
    if typing.get_origin(hint) is typing.Annotated:
        described = _described(hint)
        schema = _of(described.type or typing.get_args(hint)[0], inner)
        return {**schema, "description": described.description} if described.description else schema
    hint = SURE.get(hint, hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return {}
    if origin in (typing.Union, types.UnionType):
        return _union([_of(choice, inner) for choice in arguments])
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin in (tuple, list):
        return {"type": "array", "items": _of(arguments[0], inner)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _of(arguments[1], inner)}
    return {"type": PLAIN[hint]} if hint in PLAIN else _object(hint, inner)


def _object(kind: Any, inner: list[Any]) -> dict[str, Any]:
    if kind not in NAMES:
        return schema_of(kind, inner)
    inner.append(kind)
    return dict(ref(NAMES[kind]))


def _union(choices: list[dict[str, Any]]) -> dict[str, Any]:
    """A list of types where every choice is no more than a type."""
    if all(list(choice) == ["type"] for choice in choices):
        return {"type": [choice["type"] for choice in choices]}
    return {"anyOf": choices}
