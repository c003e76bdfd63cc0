"""One column of a request to the array that its ONNX input takes, read as the trainer reads a data set.

A number is a JSON number; a text in its place is refused, because `"12"` and `12` usually mean a mistake upstream. In
CSV all is text: a number may be written there as in a data set (`dropforge.inference.numbers`). A category, a date or a
boolean is a text without surrounding white space, and a JSON number or boolean is taken as the text that the data
would have held: 5 and 5.0 as `5`, 5.5 as `5.5`, true as `true`. A date may be spelled in any way that is plain
(`dropforge.contract.dates`), and what is no date is refused. null is a missing value everywhere: NaN, or the empty
text.
"""

from __future__ import annotations

import struct
from itertools import chain
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np

from dropforge.contract.records import kind
from dropforge.contract.schema import LONGEST_TEXT
from dropforge.inference.faults import InputFault
from dropforge.inference.table import FEW, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dropforge.contract.batch import Commas
    from dropforge.contract.schema import Column, DateRule, ModelCard

WHOLE = 2**63
"""From here on a reader of JSON may lose digits of a whole number, and a category with them."""

LARGEST = float(np.finfo(np.float32).max)
NUMBERS = {int, float, type(None)}


def to_array(column: Column, values: Sequence[Any], *, text: bool = False, commas: Commas | None = None) -> np.ndarray:
    """The input array of `column`, [N, 1]: float32, or objects of str.

    Args:
        column: the model's column.
        values: JSON values, or the fields of a CSV when `text` is true (an empty field is missing).
        commas: what commas in numbers are; by the values themselves when None.

    Raises:
        InputFault: a value that the column cannot have; it names row and column.
    """
    match column.kind:
        case "number":
            return _numbers_of_text(column.name, values, commas) if text else _numbers(column.name, values)
        case "category" | "boolean":
            return _texts(column.name, values)
        case "date":
            texts = _texts(column.name, values)
            return texts if column.dates is None else _dates(column.name, texts, column.dates, values)
        case "image":
            raise ValueError(f"column {column.name!r}: expected one of a table, got an image: see `pictures.to_pixels`")
        case _:
            assert_never(column.kind)


def table_of(card: ModelCard, records: Sequence[Mapping[str, Any]]) -> Table | None:
    """The inputs of records with every column and no other, of a model whose columns are all numbers.

    None when a value cannot be taken or the records are others: `to_array` then says which.
    """
    try:
        values = list(chain.from_iterable(map(card.pick, records)))
    except (KeyError, TypeError):
        return None
    return table_of_rows(card.names, values) if sum(map(len, records)) == len(values) else None


def table_of_rows(names: tuple[str, ...], values: list[Any]) -> Table | None:
    """The inputs of JSON numbers, row by row as many as there are names; None when one of them cannot be taken."""
    numbers = _float32(values)
    return None if numbers is None else Table(names, numbers.reshape(-1, len(names)).T)


def numbers_at_once(names: tuple[str, ...], values: Mapping[str, Sequence[Any]]) -> Table | None:
    """The arrays of these number columns, converted together: the same as `to_array` of each, several times as fast.

    None when a value cannot be taken, for `to_array` then says which, and where there is no name.
    """
    return table_of_columns(names, map(values.__getitem__, names)) if names else None


def table_of_columns(names: tuple[str, ...], values: Iterable[Sequence[Any]]) -> Table | None:
    """The inputs of JSON numbers, column by column in the order of the names; None when one of them cannot be taken."""
    numbers = _float32(list(chain.from_iterable(values)))
    return None if numbers is None else Table(names, numbers.reshape(len(names), -1))


def _float32(values: list[Any]) -> np.ndarray | None:
    """JSON numbers as float32 [N], null as NaN; None when one is no number, or not within float32."""
    if len(values) <= FEW:
        if set(map(type, values)) <= {int, float}:  # plain Python: each call into numpy costs more than twenty values
            return np.array(values, np.float32) if -LARGEST <= min(values) and max(values) <= LARGEST else None
        found = None
    else:
        found = _packed(values)
    try:
        found = _with_gaps(values) if found is None else found
    except OverflowError:
        return None
    return None if found is None or (np.abs(found) > LARGEST).any() else found.astype(np.float32)


def _with_gaps(values: list[Any]) -> np.ndarray | None:
    return np.array(values, dtype=np.float64) if set(map(type, values)) <= NUMBERS else None


def _packed(values: list[Any]) -> np.ndarray | None:
    """Many numbers as float64 [N], in half the time of a look at each one's type; None with others among them."""
    try:
        found = np.frombuffer(struct.pack(f"{len(values)}d", *values))
    except struct.error:
        return None
    doubtful = np.flatnonzero((found == 0) | (found == 1)).tolist()  # true and false are packed as 1 and 0
    return None if any(type(values[at]) is bool for at in doubtful) else found


def _numbers(name: str, values: Sequence[Any]) -> np.ndarray:
    if not set(map(type, values)) <= NUMBERS:
        at = next(at for at, value in enumerate(values) if type(value) not in NUMBERS)
        raise _wrong(name, at, "a number or null", values[at])
    try:
        array = np.array(values, dtype=np.float64)  # None becomes NaN
    except OverflowError:  # a whole number beyond float64
        array = np.array([None if value is None else _bounded(value) for value in values], dtype=np.float64)
    return _in_range(name, array, values)


def _bounded(value: float) -> float:
    return float(max(-2 * LARGEST, min(2 * LARGEST, value)))


def _numbers_of_text(name: str, values: Sequence[str], commas: Commas | None) -> np.ndarray:
    from dropforge.inference.numbers import numbers_at_sight, parse_numbers  # of CSV alone

    found = numbers_at_sight(values)
    if found is None:
        parsed = parse_numbers(values, commas)
        at = next((at for at, value in enumerate(parsed) if value is None), None)
        if at is not None:
            raise _wrong(name, at, "a number or an empty field", values[at])
        found = np.array(parsed, dtype=np.float64)
    return _in_range(name, found, values)


def _in_range(name: str, array: np.ndarray, values: Sequence[Any]) -> np.ndarray:
    outside = np.abs(array) > LARGEST
    if outside.any():
        at = int(outside.argmax())
        raise _wrong(name, at, "a number within the range of float32", values[at])
    return array.astype(np.float32).reshape(-1, 1)


def _texts(name: str, values: Sequence[Any]) -> np.ndarray:
    texts = [value.strip() if type(value) is str else _text(name, at, value) for at, value in enumerate(values)]
    longest = max(texts, key=len)
    if len(longest) > LONGEST_TEXT:
        at = texts.index(longest)
        raise _wrong(name, at, f"at most {LONGEST_TEXT} characters", f"{len(longest)} of them")
    if not all(map(_is_clean, texts)):
        at = next(at for at, each in enumerate(texts) if not _is_clean(each))
        raise _wrong(name, at, "a text of whole Unicode characters without NUL", texts[at])
    array = np.empty((len(texts), 1), dtype=object)
    array[:, 0] = texts
    return array


def _dates(name: str, texts: np.ndarray, rule: DateRule, values: Sequence[Any]) -> np.ndarray:
    """Texts [N, 1] as the ISO dates that the model is given; a text that is no date is refused, never missing."""
    from dropforge.inference.dates import canonical_texts  # of models with dates alone

    dates = canonical_texts(texts[:, 0], rule)
    if None in dates:
        row = dates.index(None)
        slashes = "" if rule.slashes else ", or month and day in an order that is plain"
        raise _wrong(name, row, f"a date such as 2024-05-31T12:30:00{slashes}, or null", values[row])
    texts[:, 0] = dates
    return texts


def _is_clean(text: str) -> bool:
    """Whether onnxruntime takes it as it is: half a surrogate pair stops it, and a NUL would cut the text."""
    if text.isascii():
        return "\0" not in text
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _text(name: str, at: int, value: Any) -> str:
    if value is None:
        return ""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) in (int, float) and abs(value) < WHOLE:  # so it is finite too
        return str(value) if type(value) is int or not value.is_integer() else str(int(value))
    raise _wrong(name, at, "a text (or digits in quotation marks), a number below 2^63, true, false or null", value)


def _wrong(name: str, at: int, expected: str, value: Any) -> InputFault:
    return InputFault("wrong_type", f"expected {expected}, got {_shown(value)}", row=at, column=name)


def _shown(value: Any) -> str:
    """The value in a message: its kind for what could be large, itself otherwise."""
    if isinstance(value, dict | list):
        return kind(value)
    if isinstance(value, int) and abs(value) >= 10**30:
        return "a huge whole number"
    shown = repr(value[:60] if isinstance(value, str) else value)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
