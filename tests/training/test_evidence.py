"""Golden rows: labels beyond rounding, but never none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dropforge.contract.schema import Column, ModelCard
from dropforge.datasets.dataset import Rows
from training_container.evidence import golden_rows

CARD = ModelCard("m", "run-0123456789abcdef", "binary", "y", "text", ("no", "yes"), (Column("x", "number"),))


class Fixed:
    """Gives the first `clear` rows a sure answer, and the others even odds, as a model of zero weights does."""

    def __init__(self, clear: int) -> None:
        self.clear = clear

    def answer(self, values: dict[str, np.ndarray]) -> np.ndarray:
        """[N, 2] probabilities."""
        sure = np.arange(len(values["x"])) < self.clear
        return np.where(sure[:, None], [0.1, 0.9], [0.5, 0.5])


@pytest.mark.parametrize(("clear", "kept"), [(5, 5), (0, 1)])
def test_rows_of_even_odds_are_left_out_but_one_if_all_are(clear: int, kept: int) -> None:
    rows = Rows({"x": np.arange(20, dtype=np.float32)}, np.zeros(20, np.int64))
    native: Any = Fixed(clear)
    golden = golden_rows(native, CARD, rows)
    assert len(golden) == kept
    assert {line["prediction"] for line in golden} == {"yes" if clear else "no"}
