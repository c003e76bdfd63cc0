"""One column of a request to the array that its ONNX input takes, read as the trainer reads a data set.

A number is a JSON number, or a text that is written as the numbers of the data set are (`dropforge.inference.numbers`);
in CSV all is text. A text that training took as missing is missing. A category, a date or a
boolean is a text without surrounding white space, and a JSON number or boolean is taken as the text that the data
would have held: 5 and 5.0 as `5`, 5.5 as `5.5`, true as `true`. A date may be spelled in any way that is plain
(`dropforge.contract.dates`), and what is no date is refused. null is a missing value everywhere: NaN, or the empty
text.
"""

from __future__ import annotations

import math
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
    from dropforge.contract.schema import Column, ModelCard, NumberRule

WHOLE = 2**63
"""From here on a reader of JSON may lose digits of a whole number, and a category with them."""

LARGEST = float(np.finfo(np.float32).max)
LARGEST_DOUBLE = float(np.finfo(np.float64).max)
NUMBERS = {int, float, type(None)}


def to_array(column: Column, values: Sequence[Any], *, text: bool = False, commas: Commas | None = None) -> np.ndarray:
    """The input array of `column`, [N, 1]: float32 or float64, or objects of str.

    Args:
        column: the model's column.
        values: JSON values, or the fields of a CSV when `text` is true (an empty field is missing).
        commas: what commas in numbers are, for a column without a rule; by the values themselves when None.

    Raises:
        InputFault: a value that the column cannot have; it names row and column.
    """
    match column.kind:
        case "number":
            return _numbers_of_text(column, values, commas) if text else _numbers(column, values)
        case "category" | "boolean":
            texts = _texts(column.name, values)
            if column.width:
                texts = _padded(texts, column.width)
            return _cut(texts, column.prefix) if column.prefix else texts
        case "date":
            return _dates(column, _texts(column.name, values), values)
        case "image":
            raise ValueError(f"column {column.name!r}: expected one of a table, got an image: see `pictures.to_pixels`")
        case _:
            assert_never(column.kind)


def table_of(card: ModelCard, records: Sequence[Mapping[str, Any]]) -> Table | None:
    """The inputs of records with every column and no other, of a model whose inputs are all float32.

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
    """The arrays of these float32 columns, converted together: the same as `to_array` of each, several times as fast.

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


def _numbers(column: Column, values: Sequence[Any]) -> np.ndarray:
    name, types = column.name, set(map(type, values))
    if not types <= NUMBERS:
        if str in types:
            values = _without_texts(column, values)
        at = next((at for at, value in enumerate(values) if type(value) not in NUMBERS), None)
        if at is not None:
            raise _wrong(name, at, "a number or null", values[at])
    try:
        array = np.array(values, dtype=np.float64)  # None becomes NaN
    except OverflowError:  # a whole number beyond float64
        array = np.array([None if value is None else _bounded(value) for value in values], dtype=np.float64)
    return _in_range(column, array, values)


def _bounded(value: float) -> float:
    if abs(value) > LARGEST_DOUBLE:
        return math.inf if value > 0 else -math.inf
    return float(value)


def _without_texts(column: Column, values: Sequence[Any]) -> list[Any]:
    """The values with numbers for the texts among them, as the column's rule reads them; None for a missing one."""
    from dropforge.contract.schema import NumberRule

    texts = {at: value for at, value in enumerate(values) if type(value) is str}
    read = _read(column, column.numbers or NumberRule(), list(texts.values()), list(texts), "null")
    known = dict(zip(texts, (None if value != value else value for value in read), strict=True))
    return [known.get(at, value) if type(value) is str else value for at, value in enumerate(values)]


def _numbers_of_text(column: Column, values: Sequence[str], commas: Commas | None) -> np.ndarray:
    from dropforge.inference.numbers import numbers_at_sight, parse_numbers  # of CSV alone

    rule = column.numbers
    found = numbers_at_sight(values) if rule is None or rule.decimal == "." else None
    if found is None and rule is not None:
        found = np.array(_read(column, rule, values, range(len(values)), "an empty field"), dtype=np.float64)
    elif found is None:
        parsed = parse_numbers(values, commas)
        at = next((at for at, value in enumerate(parsed) if value is None), None)
        if at is not None:
            raise _wrong(column.name, at, "a number or an empty field", values[at])
        found = np.array(parsed, dtype=np.float64)
    return _in_range(column, found, values)


def _read(column: Column, rule: NumberRule, texts: Sequence[str], rows: Sequence[int], missing: str) -> list[float]:
    """The numbers that texts of these rows mean, NaN for a missing value; `InputFault` for a text that is none.

    `missing` is how the request writes a missing value.
    """
    from dropforge.inference.numbers import read_numbers, readings_of

    found: list[float] = []
    for value, text, row in zip(read_numbers(texts, rule, column.missing), texts, rows, strict=True):
        if value is None:
            number, readings = f"a number in {rule.unit}" if rule.unit else "a number", readings_of(text)
            if not readings:
                raise _wrong(column.name, row, f"{number} or {missing}", text)
            style = (
                f"{number} with a decimal {'point' if rule.decimal == '.' else 'comma'} as in the data, or {missing}"
            )
            hint = f"which could be {readings}: write it as the data do, or send a JSON number"
            reason = f"expected {style}, got {_shown(text)}, {hint}"
            raise InputFault("wrong_type", reason, row=row, column=column.name)
        found.append(value)
    return found


def _in_range(column: Column, array: np.ndarray, values: Sequence[Any]) -> np.ndarray:
    element = column.element
    outside = np.abs(array) > (LARGEST_DOUBLE if column.double else LARGEST)
    if outside.any():
        at = int(outside.argmax())
        raise _wrong(column.name, at, f"a number within the range of {element}", values[at])
    return array.astype(element).reshape(-1, 1)


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


def _padded(texts: np.ndarray, width: int) -> np.ndarray:
    """Texts [N, 1] with whole numbers padded to the width of the column's codes: 1220, or 1220.0, is `01220`."""
    for row, text in enumerate(texts[:, 0]):
        digits = text.removesuffix(".0")
        if len(digits) <= width and digits.isascii() and digits.isdigit():
            texts[row, 0] = digits.zfill(width)
    return texts


def _cut(texts: np.ndarray, prefix: int) -> np.ndarray:
    """Texts [N, 1] of a generalised column: their first characters, as training read them."""
    for row, text in enumerate(texts[:, 0]):
        texts[row, 0] = text[:prefix].strip()
    return texts


def _dates(column: Column, texts: np.ndarray, values: Sequence[Any]) -> np.ndarray:
    """Texts [N, 1] as the ISO dates that the model is given; one that is no date is refused, unless training met it."""
    from dropforge.inference.dates import canonical_texts  # of models with dates alone

    if column.dates is None:
        return texts
    dates = canonical_texts(texts[:, 0], column.dates)
    if None in dates and column.missing:
        words = {word.casefold() for word in column.missing}
        dates = ["" if date is None and texts[row, 0].casefold() in words else date for row, date in enumerate(dates)]
    if None in dates:
        row = dates.index(None)
        slashes = "" if column.dates.slashes else ", or month and day in an order that is plain"
        raise _wrong(column.name, row, f"a date such as 2024-05-31T12:30:00{slashes}, or null", values[row])
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
