"""The usual request, read at once: tensors that are all alike, or one matrix, of a model whose columns are all numbers.

Tensor by tensor, a row of twenty columns took several times as long as the graph. What is not so usual, or wrong, is
None here and read one by one (`dropforge.inference.protocols.v2.inputs`), where it is named.
"""

from __future__ import annotations

from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from dropforge.inference.protocols.v2.datatypes import NUMPY
from dropforge.inference.rows import MOST_ROWS
from dropforge.inference.table import Table, surely_finite
from dropforge.inference.values import LARGEST, table_of_columns, table_of_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.contract.schema import ModelCard

IN_JSON = itemgetter("name", "datatype", "shape", "data")
IN_BINARY = itemgetter("name", "datatype", "shape", "parameters")
FIELDS = 4
"""Of such a tensor: it has no other."""

NUMBERS = NUMPY.keys() - {"BOOL", "BF16"}


def table_of(inputs: Sequence[Any], blob: memoryview, card: ModelCard) -> Table | None:
    """The model's inputs (see `_table_of`); None as well for tensors that are not made as tensors are."""
    try:
        return _table_of(inputs, blob, card)
    except (KeyError, TypeError, ValueError):
        return None


def _table_of(inputs: Sequence[Any], blob: memoryview, card: ModelCard) -> Table | None:
    """The model's inputs; None when the request is another, or a value cannot be taken.

    Args:
        inputs: the tensors of the request, as its JSON has them.
        blob: all that follows the JSON.
        card: of a model whose columns are all numbers.
    """
    if set(map(len, inputs)) != {FIELDS}:
        return None
    names, datatypes, shapes, values = zip(*map(IN_BINARY if blob else IN_JSON, inputs), strict=True)
    (count, *rest), datatype = shapes[0], datatypes[0]
    if set(map(type, names)) != {str}:
        return None
    alike = datatypes.count(datatype) == shapes.count(shapes[0]) == len(names) and datatype in NUMBERS
    if not alike or type(count) is not int or not 0 < count <= MOST_ROWS:
        return None
    if len(names) == 1 and names[0] not in card.names and rest == [len(card.names)] != [1]:
        return _of_rows(values[0], count, datatype, blob, card)
    if rest not in ([], [1]) or (names != card.names and sorted(names) != sorted(card.names)):
        return None
    return _of_columns(names, values, count, datatype, blob, card)


def _of_rows(value: Any, count: int, datatype: str, blob: memoryview, card: ModelCard) -> Table | None:
    """One tensor [N, C]."""
    if blob:
        numbers = _unpacked(blob, [value], count * len(card.names), datatype)
        return None if numbers is None else Table(card.names, _whole(numbers.reshape(count, -1).T))
    flat = list(chain.from_iterable(value)) if value and type(value[0]) is list else value
    return table_of_rows(card.names, flat) if len(flat) == count * len(card.names) else None


def _of_columns(names: tuple[str, ...], values: tuple[Any, ...], count: int, datatype: str, blob: memoryview,
                card: ModelCard) -> Table | None:  # fmt: skip
    """A tensor [N] or [N, 1] a column, in any order."""
    if not blob:
        if set(map(type, values)) != {list} or set(map(len, values)) != {count}:
            return None
        ordered = values if names == card.names else map(dict(zip(names, values, strict=True)).__getitem__, card.names)
        return table_of_columns(card.names, ordered)
    numbers = _unpacked(blob, values, count, datatype)
    if numbers is None:
        return None
    matrix = numbers.reshape(len(names), count)
    if names != card.names:
        places = {name: at for at, name in enumerate(names)}
        matrix = matrix[[places[name] for name in card.names]]
    return Table(card.names, _whole(matrix))


def _unpacked(blob: memoryview, parameters: Sequence[Any], count: int, datatype: str) -> np.ndarray | None:
    """The numbers of tensors of `count` values each, all that follows the JSON; None when their sizes are others."""
    kind = NUMPY[datatype]
    said = {"binary_data_size": count * kind.itemsize}
    if parameters.count(said) != len(parameters) or len(blob) != len(parameters) * count * kind.itemsize:
        return None
    numbers = np.frombuffer(blob, kind)
    if kind == np.float32:
        return numbers if surely_finite(numbers) or not np.isinf(numbers).any() else None
    wide = numbers.astype(np.float64)  # as numbers of JSON are read, so that a whole number has the same float32
    return None if (np.abs(wide) > LARGEST).any() else wide


def _whole(matrix: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(matrix, np.float32)
