"""The inputs of a model whose every column is a number, as one matrix, and a graph bound to such a matrix.

`session.run` makes a tensor of every input anew, which for twenty columns takes longer than the graph. Bound once to
the rows of a matrix, the inputs of every later call are there when the matrix is filled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import onnxruntime

FEW = 200
"""Values up to which plain Python is quicker than numpy."""

MOST_BOUND = 1_024
"""Rows of a matrix that is kept for the next call."""

MOST_COLUMNS = 500
"""Columns of a graph that is bound. What onnxruntime takes to bind one grows with the square of their number: 20 ms for
2,000, where a call of the unbound graph takes 3."""


def surely_finite(numbers: np.ndarray) -> bool:
    """Whether the squares of float32 [N] have a finite sum: then all are, known in half the time of a look at each.

    False does not say that one is not.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite(np.dot(numbers, numbers))


class Table(Mapping[str, np.ndarray]):
    """Inputs by name, [N, 1] each, that are the rows of one matrix."""

    __slots__ = ("_places", "count", "matrix", "names")

    def __init__(self, names: tuple[str, ...], matrix: np.ndarray) -> None:
        """Of a float32 matrix [columns, N]."""
        self.names = names
        self.matrix = matrix
        self.count: int = matrix.shape[1]
        self._places: dict[str, int] | None = None
        """Of the names; made when one is first asked for, which a bound graph never does."""

    def __getitem__(self, name: str) -> np.ndarray:
        if self._places is None:
            self._places = {each: at for at, each in enumerate(self.names)}
        return self.matrix[self._places[name], :, np.newaxis]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class Bound:
    """A session whose inputs and one output of numbers are bound to matrices of so many rows; for one thread."""

    def __init__(self, session: onnxruntime.InferenceSession, names: Sequence[str], output: str, shape: tuple[int, int],
                 ) -> None:  # fmt: skip
        self.count, width = shape
        self._session = session
        self._matrix = np.empty((len(names), self.count), np.float32)
        self._answers = np.empty(shape, np.float32)
        self._binding = session.io_binding()
        for name, row in zip(names, self._matrix, strict=True):
            self._binding.bind_input(name, "cpu", 0, np.float32, [self.count, 1], row.ctypes.data)
        self._binding.bind_output(output, "cpu", 0, np.float32, [self.count, width], self._answers.ctypes.data)

    def run(self, matrix: np.ndarray) -> np.ndarray:
        """The output, float32 [N, width], of inputs float32 [columns, N], N being `count`."""
        self._matrix[...] = matrix
        self._session.run_with_iobinding(self._binding)
        return self._answers.copy()
