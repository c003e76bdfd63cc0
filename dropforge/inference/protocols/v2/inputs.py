"""Tensors to the arrays that a model takes: the same values as in the simple API have the same meaning and refusals.

A column is a tensor [N] or [N, 1] of its name. A model whose columns are all numbers also takes one tensor [N, C] of
numbers under any other name: its C columns in the order of the model's card.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pybase64 as base64

from dropforge.contract.records import repeated
from dropforge.contract.schema import IMAGE
from dropforge.inference.faults import InputFault, short
from dropforge.inference.pictures import to_pixels
from dropforge.inference.protocols.v2 import alike, wire
from dropforge.inference.protocols.v2.datatypes import BYTES
from dropforge.inference.rows import check_count, checked
from dropforge.inference.table import Table
from dropforge.inference.values import LARGEST, LARGEST_DOUBLE, numbers_at_once, to_array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dropforge.contract.schema import ModelCard
    from dropforge.inference.protocols.v2.wire import Inference, Tensor

    Values = Sequence[Any] | np.ndarray

ROUNDED = ("FP16", "BF16", "FP32")

JSON_TEXT = "pd_json"
"""MLServer's name for a tensor whose elements are JSON: a column of texts with gaps."""

BASE64 = "base64"
"""MLServer's name for a tensor whose elements are base64."""


def to_arrays(asked: Inference, card: ModelCard) -> Mapping[str, np.ndarray]:
    """The model's inputs by name.

    Raises:
        InputFault: there are no rows or too many, a column is missing, unknown, there twice or of another shape, or a
            value has a wrong type.
    """
    table = alike.table_of(asked.inputs, asked.blob, card) if card.all_floats else None
    if table is not None:
        return table
    tensors = wire.tensors(asked)
    count = tensors[0].shape[0]
    check_count(count)
    if card.image is not None:
        return {IMAGE: _pictures(tensors, count, card)}
    is_matrix = _is_matrix(tensors, card)
    columns = _matrix(tensors[0], card) if is_matrix else _columns(tensors, count)
    columns = checked(columns, card, as_rows=False)
    if card.doubles:
        _check_doubles(tensors, card.doubles, is_matrix)
    names, numbers = card.names, card.numbers
    arrays = {name: columns[name] for name in numbers}
    ready = _ready({name: each for name, each in arrays.items() if isinstance(each, np.ndarray)}, asked.blob, card)
    if len(ready) == len(names):
        return Table(card.names, np.stack([ready[name][:, 0] for name in card.names])) if card.all_floats else ready
    rest = {name: _listed(columns[name]) for name in names if name not in ready}
    wanted = [column for column in card.columns if column.name in rest]
    made = numbers_at_once(tuple(each.name for each in wanted if each.element == "float32"), rest)
    if made is not None and len(made) == len(names):
        return made
    known = {**ready, **(made or {})}
    return known | {each.name: to_array(each, rest[each.name]) for each in wanted if each.name not in known}


def columns_of(asked: Inference, card: ModelCard) -> dict[str, Sequence[Any]]:
    """The values of a request that `to_arrays` takes, in the columns of which the model reads some as others."""
    tensors = wire.tensors(asked)
    count = tensors[0].shape[0]
    columns = _matrix(tensors[0], card) if _is_matrix(tensors, card) else _columns(tensors, count)
    columns = checked(columns, card, as_rows=False)
    return {column.name: _listed(columns[column.name]) for column in card.rewritten}


def _check_doubles(tensors: list[Tensor], doubles: frozenset[str], is_matrix: bool) -> None:
    """Refuses numbers that were rounded before they were sent, where the model needs the digits that this cost."""
    for each in tensors:
        if each.datatype in ROUNDED and (is_matrix or each.name in doubles):
            name = min(doubles) if is_matrix else each.name
            reason = (
                f"expected FP64 or whole numbers for column {short(name)!r}, whose values lie too close together for "
                f"{each.datatype}"
            )
            raise InputFault("datatype", reason, place=f"inputs.{short(each.name)}.datatype")


def _columns(tensors: list[Tensor], count: int) -> dict[str, Values]:
    columns: dict[str, Values] = {}
    for each in tensors:
        shape = each.shape
        if shape[0] != count or len(shape) > 2 or shape[-1] != (1 if len(shape) == 2 else count):
            raise _wrong_shape(each, f"[{count}] or [{count}, 1], as {count} rows in the first tensor")
        columns[each.name] = _values(each)
    if len(columns) != len(tensors):
        twice = str(repeated([each.name for each in tensors]))
        raise InputFault("repeated_column", "expected once, got it again", column=short(twice))
    return columns


def _is_matrix(tensors: list[Tensor], card: ModelCard) -> bool:
    one = tensors[0]
    alone = len(tensors) == 1 and len(one.shape) == 2 and one.shape[1] > 1
    return alone and one.name not in card.names and card.all_numbers


def _matrix(tensor: Tensor, card: ModelCard) -> dict[str, Values]:
    names = card.names
    rows, width = tensor.shape
    if width != len(names):
        order = ", ".join(names)
        raise _wrong_shape(tensor, f"[N, {len(names)}], a column each of {order}"[:900])
    values = _values(tensor)
    if isinstance(values, np.ndarray):
        return dict(zip(names, np.ascontiguousarray(values.reshape(rows, width).T), strict=True))
    return {name: values[at::width] for at, name in enumerate(names)}


def _values(tensor: Tensor) -> Values:
    """The values as JSON would have them; numbers of the binary extension stay an array."""
    data, datatype = tensor.data, tensor.datatype
    if isinstance(data, np.ndarray):
        return data
    if datatype == BYTES:
        if data and type(data[0]) is bytes:
            data = [_decoded(each, at, tensor.name) for at, each in enumerate(data)]
        if tensor.content_type == BASE64:
            return [_from_base64(each, at, tensor.name) for at, each in enumerate(data)]
        return [_from_json(each, at, tensor.name) for at, each in enumerate(data)] if (
            tensor.content_type == JSON_TEXT) else data  # fmt: skip
    if datatype == "BOOL":
        return [bool(each) if type(each) is int and each in (0, 1) else each for each in data]
    return data


def _decoded(value: bytes, at: int, name: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as fault:
        raise _wrong_type(at, name, f"a text in UTF-8, got {len(value)} other bytes") from fault


def _from_base64(value: Any, at: int, name: str) -> str | None:
    if value is None or value == "":
        return None
    try:
        return base64.b64decode(value, validate=True).decode()
    except (ValueError, TypeError) as fault:
        raise _wrong_type(at, name, f"base64 of a text in UTF-8, as its content_type {BASE64} says") from fault


def _from_json(value: Any, at: int, name: str) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as fault:
        raise _wrong_type(at, name, f"JSON, as its content_type {JSON_TEXT} says: {fault}") from fault


def _ready(arrays: dict[str, np.ndarray], blob: memoryview, card: ModelCard) -> dict[str, np.ndarray]:
    """The columns of numbers that came as arrays of numbers, [N, 1] as the model takes them, but those with a number
    that is too large.

    They are made ready through float64, as numbers of JSON are, so that a whole number has the same float32.
    """
    numbers = {name: each for name, each in arrays.items() if each.dtype != bool}
    if not numbers:
        return {}
    if all(each.dtype == np.float32 for each in numbers.values()):
        whole = np.frombuffer(blob, np.float32) if len(blob) == sum(each.nbytes for each in numbers.values()) else None
        if whole is not None and not np.isinf(whole).any():
            return {name: each.reshape(-1, 1) for name, each in numbers.items()}
    wide = {name: each.astype(np.float64) for name, each in numbers.items()}
    return {
        name: each.astype("float64" if name in card.doubles else "float32").reshape(-1, 1)
        for name, each in wide.items()
        if not (np.abs(each) > (LARGEST_DOUBLE if name in card.doubles else LARGEST)).any()
    }


def _listed(values: Values) -> Sequence[Any]:
    """The values one by one; a fraction as the shortest number that means it, as JSON would say it, NaN as null."""
    if not isinstance(values, np.ndarray):
        return values
    if values.dtype.kind != "f":
        return values.tolist()  # type: ignore[no-any-return]
    return [None if each != each else float(str(each)) for each in values]


def _pictures(tensors: list[Tensor], count: int, card: ModelCard) -> np.ndarray:
    """Files, in base64 where they are in JSON; or pixels as the model takes them."""
    one = checked({each.name: each for each in tensors}, card, as_rows=False)[IMAGE]
    rule = card.image
    pixels = [count, rule.height, rule.width, rule.channels] if rule is not None else []
    if one.datatype == BYTES and len(one.data) == count:
        return to_pixels(card, list(one.data))
    if one.datatype != "UINT8" or one.shape != pixels:
        raise _wrong_shape(one, f"BYTES [{count}] of pictures' files, or UINT8 {pixels}")
    if isinstance(one.data, np.ndarray):
        return one.data.reshape(pixels)
    wrong = next((at for at, each in enumerate(one.data) if type(each) is not int or not 0 <= each <= 255), None)
    if wrong is not None:
        raise _wrong_type(wrong * count // len(one.data), IMAGE, "whole numbers from 0 to 255")
    return np.array(one.data, np.uint8).reshape(pixels)


def _wrong_shape(tensor: Tensor, expected: str) -> InputFault:
    reason = f"expected {expected}, got {tensor.datatype} {tensor.shape}"
    return InputFault("tensor_shape", reason, place=f"inputs.{short(tensor.name)}.shape")


def _wrong_type(at: int, name: str, expected: str) -> InputFault:
    return InputFault("wrong_type", f"expected {expected}", row=at, column=short(name))
