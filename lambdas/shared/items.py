"""DynamoDB's attribute values to plain JSON values and back."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dropforge.contract.registry import INDEX_PARTITION, INDEX_SORT, PARTITION, SORT

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = (PARTITION, SORT, INDEX_PARTITION, INDEX_SORT)


def to_item(value: Mapping[str, Any]) -> dict[str, Any]:
    """Attribute values of a row; floats become exact decimals of their shortest text."""
    from boto3.dynamodb.types import TypeSerializer

    plain = json.loads(json.dumps(value), parse_float=Decimal)
    serialize = TypeSerializer().serialize
    return {key: serialize(each) for key, each in plain.items()}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """The row, without the table's own attributes."""
    from boto3.dynamodb.types import TypeDeserializer

    deserialize = TypeDeserializer().deserialize
    return {key: _plain(deserialize(each)) for key, each in item.items() if key not in KEYS}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value
