"""When the predictions of two runtimes count as equal: in the trainer's verification, in Judge and in tests."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

TOLERANCE = 1e-5
"""Largest relative difference of equal predictions; labels must be identical."""


def scale_of(expected: Iterable[float]) -> float:
    """The typical size of a prediction: the mean of the absolute values; 1 if all are 0 or there are none."""
    sizes = [abs(value) for value in expected]
    return (math.fsum(sizes) / len(sizes) if sizes else 0.0) or 1.0


def difference(expected: float, got: float, scale: float) -> float:
    """|expected − got| / max(|expected|, scale); infinite when `got` is not a finite number.

    `scale` (from `scale_of` over all compared answers) keeps an answer that happens to lie near 0 from being held to a
    precision that float32 arithmetic on numbers of the usual size cannot have.
    """
    if not math.isfinite(got):
        return math.inf
    return abs(expected - got) / max(abs(expected), scale)
