"""The inputs of a model whose every column is a number, as one matrix, and a graph bound to such a matrix.

`session.run` makes a tensor of every input anew, which for twenty columns takes longer than the graph. Bound once to
the rows of a matrix, the inputs of every later call are there when the matrix is filled.
"""

from __future__ import annotations

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


class Table(Mapping[str, np.ndarray]):
    """Inputs by name, [N, 1] each, that are the rows of one matrix."""

    __slots__ = ("count", "matrix", "names")

    def __init__(self, names: tuple[str, ...], matrix: np.ndarray) -> None:
        """Of a float32 matrix [columns, N]."""
        self.names = names
        self.matrix = matrix
        self.count: int = matrix.shape[1]

    def __getitem__(self, name: str) -> np.ndarray:
        try:
            at = self.names.index(name)
        except ValueError:
            raise KeyError(name) from None
        return self.matrix[at, :, np.newaxis]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class Bound:
    """A session whose inputs are bound to a matrix of some number of rows; for one thread."""

    def __init__(self, session: onnxruntime.InferenceSession, names: Sequence[str], outputs: Sequence[str],
                 count: int) -> None:  # fmt: skip
        self.count = count
        self._session = session
        self._matrix = np.empty((len(names), count), np.float32)
        self._binding = session.io_binding()
        for name, row in zip(names, self._matrix, strict=True):
            self._binding.bind_input(name, "cpu", 0, np.float32, [count, 1], row.ctypes.data)
        for name in outputs:
            self._binding.bind_output(name, "cpu")

    def run(self, matrix: np.ndarray) -> list[np.ndarray]:
        """The outputs, in the order of their names.

        Args:
            matrix: float32 [columns, N], N being `count`.
        """
        self._matrix[...] = matrix
        self._session.run_with_iobinding(self._binding)
        return [each.numpy() for each in self._binding.get_outputs()]
