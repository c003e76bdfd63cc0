"""How numbers are written for people, everywhere: in the CLI, the report, the verdict and all sentences.

One rule: four digits that count (or as many decimals as the values beside it need to be told apart), no exponent from
0.0001 to 10^15, and thousands separated from 10,000 on, so that years are written as years are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

DIGITS = 4
LEAST, MOST = 1e-4, 1e15
"""Sizes between which no exponent is written."""

SEPARATED = 10_000
MOST_DECIMALS = 12


def figure(value: float, *, spread: float | None = None, digits: int = DIGITS) -> str:
    """A number for people.

    Args:
        value: the number.
        spread: the distance of the largest to the smallest of the values that it stands beside; decimals are chosen by
            it then, and not by the value's own size.
        digits: how many digits count.
    """
    if isinstance(value, int):
        return f"{value:,d}" if abs(value) >= SEPARATED else str(value)
    size = abs(value)
    if not math.isfinite(value) or size >= MOST or (not spread and 0 < size < LEAST):
        return f"{value:.3g}"
    decimals = 0 if value == int(value) else _decimals(spread or size, digits)
    grouped = f"{value:,.{decimals}f}" if round(size, decimals) >= SEPARATED else f"{value:.{decimals}f}"
    plain = grouped.rstrip("0").rstrip(".") if "." in grouped else grouped
    return "0" if plain == "-0" else plain


def _decimals(scale: float, digits: int) -> int:
    return min(max(0, digits - 1 - math.floor(math.log10(scale))), MOST_DECIMALS)


def spread_of(values: Iterable[object]) -> float | None:
    """The distance of the largest to the smallest number among these values; None where there are no two."""
    numbers = [value for value in values if isinstance(value, float | int) and math.isfinite(value)]
    return (max(numbers) - min(numbers)) or None if numbers else None
