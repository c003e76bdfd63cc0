"""Converts plain JSON values to DynamoDB's attribute values and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from dropforge.contract.models import INDEX_PARTITION, INDEX_SORT, PARTITION, SORT

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_ATTRIBUTES = (PARTITION, SORT, INDEX_PARTITION, INDEX_SORT)


def to_item(value: Mapping[str, Any]) -> dict[str, Any]:
    """The attribute values of a row; a float becomes the decimal number of its shortest text."""
    return {key: _to_attribute(field) for key, field in value.items()}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """The row of an item, without the attributes of the table's keys."""
    return {key: _from_attribute(attribute) for key, attribute in item.items() if key not in KEY_ATTRIBUTES}


def _to_attribute(value: Any) -> dict[str, Any]:
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise ValueError(f"{value}: expected a finite number: DynamoDB stores no other")
        return {"N": repr(value)}
    if isinstance(value, list | tuple):
        return {"L": [_to_attribute(entry) for entry in value]}
    return {"M": {key: _to_attribute(entry) for key, entry in value.items()}}


def _from_attribute(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    if kind == "N":
        number = float(value)
        return int(value) if value.lstrip("-").isdigit() else int(number) if number.is_integer() else number
    if kind == "M":
        return {key: _from_attribute(entry) for key, entry in value.items()}
    if kind == "L":
        return [_from_attribute(entry) for entry in value]
    return None if kind == "NULL" else value
