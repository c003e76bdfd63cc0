"""JSON documents of requests and answers: orjson where it and the standard library agree, the library where not."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import orjson

from dropforge.contract.records import repeated
from dropforge.inference.faults import InputFault, short

SHORT = 4_096
"""Bytes up to which `bytes.count` is quicker than a comparison by numpy."""


def read(body: bytes) -> Any:
    """The value of a JSON text in which no object has a key twice.

    What orjson refuses (half a surrogate pair, a byte order mark, bad JSON) is the standard library's to take or to
    say what is wrong with. Whole numbers beyond 64 bits may come as floats.

    Raises:
        InputFault: it is no JSON, or it has a key twice.
    """
    try:
        value = orjson.loads(body)
        written, known = colons(body), _keys(value)
        if written == known or written == known + _keys_of_parameters(value):
            return value
        if b"\\" not in body and written == _written(value):
            return value
    except (orjson.JSONDecodeError, RecursionError):
        pass
    try:
        return json.loads(body, parse_constant=_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as fault:
        reason = "nested too deeply" if isinstance(fault, RecursionError) else str(fault)
        raise InputFault("not_json", f"expected JSON: {reason}") from fault


def write(value: Any) -> bytes:
    """The JSON of an answer, UTF-8; its numbers are finite."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # a class that is a whole number beyond 64 bits
        return json.dumps(value, allow_nan=False).encode()


def _keys(value: Any) -> int:
    """How many keys the objects of a request have; of what is nested deeper than requests are, fewer are counted.

    Every key that was written has a colon, and a key that stands twice is parsed once. So as many keys as colons mean
    that none stands twice, which is cheaper to know than by a look at every pair.
    """
    if type(value) is not dict:
        return _keys_of_rows(value)
    inner = (len(each) if type(each) is dict else _keys_of_rows(each) for each in value.values())
    return len(value) + sum(inner)


def _keys_of_rows(value: Any) -> int:
    rows = type(value) is list and value and type(value[0]) is dict and set(map(type, value)) == {dict}
    return sum(map(len, value)) if rows else 0


def _keys_of_parameters(value: Any) -> int:
    """How many keys the objects inside the rows of a document have: the parameters of tensors."""
    lists = (each for each in value.values() if type(each) is list) if type(value) is dict else ()
    rows = (row for each in lists for row in each if type(row) is dict)
    return sum(len(each) for row in rows for each in row.values() if type(each) is dict)


def _written(value: Any) -> int:
    """How many colons the JSON of a value has, those inside its texts too, when none of them is escaped."""
    if isinstance(value, dict):
        return len(value) + sum(str.count(key, ":") + _written(each) for key, each in value.items())
    if type(value) is list:
        return sum(map(_written, value))
    return str.count(value, ":") if type(value) is str else 0


def colons(body: bytes) -> int:
    """How many there are."""
    if len(body) <= SHORT:
        return body.count(b":")
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == ord(":")))


def _constant(name: str) -> None:
    """NaN, which some clients write for a missing value, as null; infinity is no value of any column."""
    if name != "NaN":
        raise ValueError(f"{name} is not JSON; null stands for a missing value")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(f"the key {short(str(repeated([name for name, _ in pairs])))!r} stands twice in one object")
    return found
