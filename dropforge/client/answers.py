"""Answers of the API as records, also those of another version of it than this one.

A newer API may send more fields, kinds that this version has no name for, and a newer schema; an older one leaves out
what was added since. None of that is refused: an answer is read as far as it is known. The JSON stays with its record,
so that `to_json()` and indexing give what the API sent, whole.
"""

from __future__ import annotations

import types
import typing
from dataclasses import MISSING
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from dropforge.contract.documents import ANSWERED, Document, Record, fields, made

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from dataclasses import Field

R = TypeVar("R", bound=Record)
UNIONS = (typing.Union, types.UnionType)


class _Unknown(Exception):
    """A value that this version cannot read."""


def read(kind: type[R], answer: Mapping[str, Any]) -> R:
    """The answer as a record.

    A field that is not sent, or cannot be read, has its default or is empty: no entries, or None.
    """
    known = kind.upgrade(answer) if issubclass(kind, Document) else answer
    hints = _hints(typing.cast("Hashable", kind))
    record = object.__new__(made(kind))
    for field in fields(kind):
        try:
            record.__dict__[field.name] = _value(hints[field.name], known[field.name])
        except (KeyError, _Unknown):
            record.__dict__[field.name] = _absent(field, hints[field.name])
    record.__dict__[ANSWERED] = answer
    return record


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _absent(field: Field[Any], hint: Any) -> Any:
    """What a field has that is not sent."""
    if field.default is not MISSING:
        return field.default
    if field.default_factory is not MISSING:
        return field.default_factory()
    return {tuple: (), dict: {}}.get(typing.get_origin(hint))


def _value(hint: Any, value: Any) -> Any:
    """The value of a field of this type; `_Unknown` for one of another."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in UNIONS:
        return _choice(arguments, value)
    if hint is Any or (origin is typing.Literal and isinstance(value, str | int)):
        return value  # of a Literal also what a newer version has added to it
    if origin is tuple and isinstance(value, list):
        return tuple(_value(arguments[0], item) for item in value)
    if origin is dict and isinstance(value, dict):
        return {name: _value(arguments[1], item) for name, item in value.items()}
    if origin is None and issubclass(hint, Record) and isinstance(value, dict):
        return read(hint, value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if origin is None and isinstance(value, hint) and isinstance(value, bool) == (hint is bool):
        return value
    raise _Unknown


def _choice(choices: tuple[Any, ...], value: Any) -> Any:
    """The value as the first of these types that it is of."""
    if value is None and type(None) in choices:
        return None
    for choice in choices:
        try:
            return _value(choice, value)
        except _Unknown:
            continue
    raise _Unknown
