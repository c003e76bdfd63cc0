"""One column of a request to the array that its ONNX input takes.

A number is a JSON number; a text in its place is refused, because `"12"` and `12` usually mean a mistake upstream. A
category, a date or a boolean is a text, and a JSON number or boolean is taken as the text that the data would have
held: 5 as `5`, 5.0 as `5.0`, true as `true`. null is a missing value everywhere: NaN, or the empty text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lambdas.serving.faults import InputFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.contract.schema import Column

LONGEST_TEXT = 10_000
"""Characters of one value."""

LARGEST = float(np.finfo(np.float32).max)


def to_array(column: Column, values: Sequence[Any], *, text: bool = False) -> np.ndarray:
    """The input array of `column`, [N, 1]: float32, or objects of str.

    Args:
        column: the model's column.
        values: JSON values, or the fields of a CSV when `text` is true (an empty field is missing).

    Raises:
        InputFault: 422, naming `rows[i].<column>`.
    """
    if column.kind == "number":
        return _numbers(column.name, values, text=text)
    return _texts(column.name, values)


def _numbers(name: str, values: Sequence[Any], *, text: bool) -> np.ndarray:
    array = np.empty((len(values), 1), dtype=np.float32)
    for at, value in enumerate(values):
        array[at, 0] = _number_of_text(name, at, value) if text else _number(name, at, value)
    return array


def _number(name: str, at: int, value: Any) -> float:
    if type(value) is float or type(value) is int:
        if -LARGEST <= value <= LARGEST:
            return value
        raise _wrong(name, at, "a number within the range of float32", value)
    if value is None:
        return np.nan
    raise _wrong(name, at, "a number or null", value)


def _number_of_text(name: str, at: int, value: Any) -> float:
    stripped = value.strip()
    if not stripped:
        return np.nan
    try:
        return _number(name, at, float(stripped))
    except ValueError:
        raise _wrong(name, at, "a number or an empty field", value) from None


def _texts(name: str, values: Sequence[Any]) -> np.ndarray:
    array = np.empty((len(values), 1), dtype=object)
    for at, value in enumerate(values):
        array[at, 0] = value if type(value) is str else _text(name, at, value)
        if len(array[at, 0]) > LONGEST_TEXT:
            raise _wrong(name, at, f"at most {LONGEST_TEXT} characters", f"{len(array[at, 0])} of them")
    return array


def _text(name: str, at: int, value: Any) -> str:
    if value is None:
        return ""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int or type(value) is float:
        return str(value)[: LONGEST_TEXT + 1]
    raise _wrong(name, at, "a text, a number, true, false or null", value)


def _wrong(name: str, at: int, expected: str, value: Any) -> InputFault:
    field = f"rows[{at}].{name}"
    return InputFault(422, "wrong_type", f"{field}: expected {expected}, got {_shown(value)}", field)


def _shown(value: Any) -> str:
    """The value in a message: its kind for what could be large, itself otherwise."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    shown = repr(value) if not isinstance(value, int) or abs(value) < 10**30 else "a huge whole number"
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
