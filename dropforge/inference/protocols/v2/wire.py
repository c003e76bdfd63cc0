"""The body of an inference request: JSON, and where the header says so, tensors in binary behind it."""

from __future__ import annotations

from itertools import chain
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from dropforge.inference import documents
from dropforge.inference.faults import InputFault, short
from dropforge.inference.protocols.v2.datatypes import BYTES, NUMPY, numbers_of, parts_of

if TYPE_CHECKING:
    import numpy as np

HEADER = "inference-header-content-length"
"""Bytes of the JSON; only where it is given, binary tensors follow."""

MOST_DIMENSIONS = 4
"""As many as pictures have."""

REFUSED = {"shared_memory_region": "shared memory", "classification": "the classification extension"}
"""Parameters that change what a tensor means, and are not offered."""


class Tensor(NamedTuple):
    """One input."""

    name: str
    datatype: str
    shape: list[int]
    data: list[Any] | np.ndarray
    """Flat: numbers of the binary extension, elements of its `BYTES` as bytes, or the values of JSON."""
    content_type: str
    """How MLServer's codecs encoded it; empty for plain tensors."""


class Output(NamedTuple):
    """One output that is asked for."""

    name: str
    binary: bool


class Inference(NamedTuple):
    """An inference request."""

    id: str | None
    inputs: list[Any]
    """As the JSON has them: `tensors` reads them."""
    outputs: list[Output] | None
    """None for all, each as `binary` says."""
    binary: bool
    table: bool
    """Whether MLServer's pandas codec wants columns back."""
    blob: memoryview
    """All that follows the JSON."""
    strict: bool | None = None
    """Whether a text that the model does not know is to refuse the request; None where the request does not say."""


def read(body: bytes, header: str | None) -> Inference:
    """The request in a body.

    Args:
        body: of the request.
        header: `Inference-Header-Content-Length`, if there is one.

    Raises:
        InputFault: it is no such request.
    """
    length = len(body) if header is None else _length(header, len(body))
    whole = memoryview(body)  # its parts are no copies
    document = _parsed(body if length == len(body) else body[:length])
    inputs = _list(document, "inputs")
    parameters = _parameters(document, "parameters")
    binary = parameters.get("binary_data_output") is True
    outputs = _outputs(_list(document, "outputs"), binary) if document.get("outputs") else None
    strict = parameters.get("strict")
    if strict is not None and type(strict) is not bool:
        raise InputFault("wrong_shape", f"expected true or false, got {_kind(strict)}", place="parameters.strict")
    table = parameters.get("content_type") == "pd"
    return Inference(_id(document), inputs, outputs, binary, table, whole[length:], strict)


def tensors(asked: Inference) -> list[Tensor]:
    """The inputs, read.

    Raises:
        InputFault: one of them is no tensor, or not what it says of itself.
    """
    found, used, blob = [], 0, asked.blob
    for at, each in enumerate(asked.inputs):
        tensor, size = _tensor(each, f"inputs[{at}]", blob[used:])
        found.append(tensor)
        used += size
    if used != len(blob):
        reason = f"expected the binary tensors to fill the {len(blob)} bytes behind the JSON, got {used} bytes of them"
        raise InputFault("wrong_length", reason, place="inputs")
    return found


def _length(header: str, size: int) -> int:
    if not header.isascii() or not header.isdigit() or not 0 < int(header[:9]) <= size:
        reason = f"expected 1 to the body's {size} bytes, got {short(header)!r}"
        raise InputFault("wrong_length", reason, place="Inference-Header-Content-Length")
    return int(header[:9])


def _parsed(body: bytes) -> dict[str, Any]:
    if not body:
        raise InputFault("empty", 'expected JSON with "inputs", got an empty body')
    document = documents.read(body)
    if not isinstance(document, dict):
        raise InputFault("wrong_shape", f'expected {{"inputs": […]}}, got {_kind(document)}')
    return document


def _list(document: dict[str, Any], name: str) -> list[Any]:
    found = document.get(name)
    if not isinstance(found, list) or not found:
        raise InputFault("wrong_shape", f"expected a list of tensors, got {_kind(found)}", place=name)
    return found


def _id(document: dict[str, Any]) -> str | None:
    found = document.get("id")
    if found is not None and not isinstance(found, str):
        raise InputFault("wrong_shape", f"expected a text, got {_kind(found)}", place="id")
    return found


def _parameters(owner: dict[str, Any], place: str) -> dict[str, Any]:
    found = owner.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InputFault("wrong_shape", f"expected an object, got {_kind(found)}", place=place)
    return found


def _tensor(raw: Any, place: str, blob: memoryview) -> tuple[Tensor, int]:
    """The tensor, and how many bytes of `blob` it takes."""
    name, datatype, shape = _head(raw, place)
    parameters = _parameters(raw, f"{place}.parameters") if "parameters" in raw else {}
    content_type = parameters.get("content_type", "")
    if parameters:
        _refuse(parameters, f"{place}.parameters")
    if "binary_data_size" in parameters:
        size = _binary_size(parameters["binary_data_size"], place, name, len(blob))
        data = _unpacked(datatype, shape, blob[:size], f"inputs.{name}")
        return Tensor(name, datatype, shape, data, content_type), size
    data = raw.get("data")
    if not isinstance(data, list):
        reason = f"expected a list of the values of {short(name)!r}, got {_kind(data)}"
        raise InputFault("wrong_shape", reason, place=f"{place}.data")
    if data and type(data[0]) is list:
        data = _flat(data, len(shape), f"{place}.data")
    if len(data) != prod(shape):
        _wrong_size(name, shape, f"{len(data)} values")
    return Tensor(name, datatype, shape, data, content_type), 0


def _head(raw: Any, place: str) -> tuple[str, str, list[int]]:
    if not isinstance(raw, dict):
        raise InputFault("wrong_shape", f"expected a tensor, got {_kind(raw)}", place=place)
    name, datatype, shape = raw.get("name"), raw.get("datatype"), raw.get("shape")
    if not isinstance(name, str):
        raise InputFault("wrong_shape", f"expected a text, got {_kind(name)}", place=f"{place}.name")
    if datatype != BYTES and (not isinstance(datatype, str) or datatype not in NUMPY):
        shown = repr(short(datatype)) if isinstance(datatype, str) else _kind(datatype)
        reason = f"expected one of {', '.join([*NUMPY, BYTES])}, got {shown}"
        raise InputFault("datatype", reason, place=f"inputs.{short(name)}.datatype")
    if not isinstance(shape, list) or not 0 < len(shape) <= MOST_DIMENSIONS or not _sizes(shape):
        reason = f"expected 1 to {MOST_DIMENSIONS} whole numbers from 0 up"
        raise InputFault("tensor_shape", reason, place=f"inputs.{short(name)}.shape")
    return name, datatype, shape


def _sizes(shape: list[Any]) -> bool:
    return all(type(each) is int and 0 <= each <= 2**31 for each in shape)


def _refuse(parameters: dict[str, Any], place: str) -> None:
    for name, words in REFUSED.items():
        if name in parameters:
            raise InputFault("unsupported", f"{words} is not offered", place=f"{place}.{name}")


def _binary_size(size: Any, place: str, name: str, left: int) -> int:
    if type(size) is not int or not 0 <= size <= left:
        reason = f"expected 0 to the {left} bytes that are left for {short(name)!r}, got {str(size)[:40]}"
        raise InputFault("wrong_length", reason, place=f"{place}.parameters.binary_data_size")
    return size


def _unpacked(datatype: str, shape: list[int], raw: memoryview, place: str) -> list[Any] | np.ndarray:
    count = prod(shape)
    name = place.partition(".")[2]
    if datatype != BYTES:
        if len(raw) != count * NUMPY[datatype].itemsize:
            _wrong_size(name, shape, f"{len(raw)} bytes of {datatype}")
        return numbers_of(datatype, raw)
    try:
        parts = parts_of(raw)
    except ValueError as fault:
        raise InputFault("wrong_length", str(fault), place=f"inputs.{short(name)}") from fault
    if len(parts) != count:
        _wrong_size(name, shape, f"{len(parts)} elements")
    return parts


def _wrong_size(name: str, shape: list[int], got: str) -> None:
    reason = f"expected {prod(shape)} values for {shape}, got {got}"
    raise InputFault("tensor_shape", reason, place=f"inputs.{short(name)}.shape")


def _flat(data: list[Any], dimensions: int, place: str) -> list[Any]:
    """The values of nested lists, row by row."""
    for _ in range(dimensions - 1):
        if not all(type(each) is list for each in data):
            raise InputFault("tensor_shape", "expected all of its parts to be nested alike", place=place)
        data = list(chain.from_iterable(data))
        if not data or type(data[0]) is not list:
            return data
    return data


def _outputs(raw: list[Any], binary: bool) -> list[Output]:
    found = []
    for at, each in enumerate(raw):
        place = f"outputs[{at}]"
        if not isinstance(each, dict) or not isinstance(each.get("name"), str):
            raise InputFault("wrong_shape", "expected an object with a name", place=place)
        parameters = _parameters(each, f"{place}.parameters")
        _refuse(parameters, f"{place}.parameters")
        found.append(Output(each["name"], parameters.get("binary_data", binary) is True))
    return found


def _kind(value: Any) -> str:
    """What a value is, in the words of JSON."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")
