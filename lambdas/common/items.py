"""Plain JSON values to DynamoDB's attribute values and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from dropforge.contract.models import INDEX_PARTITION, INDEX_SORT, PARTITION, SORT

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = (PARTITION, SORT, INDEX_PARTITION, INDEX_SORT)


def to_item(value: Mapping[str, Any]) -> dict[str, Any]:
    """Attribute values of a row; floats become the decimals of their shortest text."""
    return {key: _typed(each) for key, each in value.items()}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """The row, without the table's own attributes."""
    return {key: _plain(each) for key, each in item.items() if key not in KEYS}


def _typed(value: Any) -> dict[str, Any]:
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise ValueError(f"{value}: expected a finite number, for DynamoDB has no other")
        return {"N": repr(value)}
    if isinstance(value, list | tuple):
        return {"L": [_typed(each) for each in value]}
    return {"M": {key: _typed(each) for key, each in value.items()}}


def _plain(typed: Mapping[str, Any]) -> Any:
    ((kind, value),) = typed.items()
    if kind == "N":
        number = float(value)
        return int(value) if value.lstrip("-").isdigit() else int(number) if number.is_integer() else number
    if kind == "M":
        return {key: _plain(each) for key, each in value.items()}
    if kind == "L":
        return [_plain(each) for each in value]
    return None if kind == "NULL" else value
