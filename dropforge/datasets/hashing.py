"""A hash of every row by its content, the same on any machine and with any library version.

A value that reads as a number counts by that number, so that `1`, `1.0` and a Parquet 1 are the same; a missing marker
counts as no value; any other by its stripped text. The names of the columns take part, their order does not.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dropforge.datasets.values import MISSING, NUMBER

if TYPE_CHECKING:
    from dropforge.datasets.table import Table

Hashes = NDArray[np.uint64]

EXACT = float(2**53)
"""Whole numbers beyond are not exact as float64: they count by their text."""

COPY_HEAD = 10_000
"""Rows by which possible copies are found; then all rows are compared."""

NO_TEXT = frozenset(MISSING)
NO_VALUE = np.uint64(0x9E3779B97F4A7C15)


def row_hashes(frame: pl.DataFrame) -> Hashes:
    """One uint64 a row, [N]."""
    total = np.zeros(frame.height, np.uint64)
    for name in sorted(frame.columns):
        total = mix(total ^ mix(cell_hashes(frame[name]) ^ np.uint64(_digest(name))))
    return total


def cell_hashes(series: pl.Series) -> Hashes:
    """One uint64 a cell, [N], whatever the column is called; equal for equal content."""
    if series.dtype.is_numeric():
        return _of_numeric(series)
    texts = series.fill_null("").str.strip_chars()
    numbers = texts.set(~texts.str.contains(NUMBER), None).cast(pl.Float64, strict=False)
    numbers = numbers.set(numbers.abs() > EXACT, None)
    hashes = _of_floats(numbers.fill_null(0.0).to_numpy())
    other = numbers.is_null()
    hashes[other.to_numpy()] = _of_texts(texts.filter(other))
    return hashes


def copies_of(table: Table, names: list[str]) -> dict[str, str]:
    """Each column that holds what one to its left holds, whatever the spelling of numbers, and that one."""
    head = next(block for block in table.blocks() if block.height).head(COPY_HEAD)
    alike: dict[bytes, list[str]] = {}
    found: dict[str, str] = {}
    for name in names:
        firsts = alike.setdefault(cell_hashes(head[name]).tobytes(), [])
        first = next((first for first in firsts if _same(table, first, name)), None)
        if first is None:
            firsts.append(name)
        else:
            found[name] = first
    return found


def _same(table: Table, first: str, second: str) -> bool:
    return all((cell_hashes(block[first]) == cell_hashes(block[second])).all() for block in table.blocks())


def unit(hashes: Hashes) -> NDArray[np.float64]:
    """The hashes as places in [0, 1)."""
    return (hashes >> np.uint64(11)).astype(np.float64) / float(2**53)


def nth_copy(hashes: Hashes, occurrence: NDArray[np.int64]) -> Hashes:
    """Hashes that tell the copies of a row apart: the first keeps its own."""
    return np.where(occurrence == 0, hashes, mix(hashes ^ mix(occurrence.astype(np.uint64))))


def _of_numeric(series: pl.Series) -> Hashes:
    numbers = series.cast(pl.Float64).fill_nan(None)
    hashes = _of_floats(numbers.fill_null(0.0).to_numpy())
    hashes[numbers.is_null().to_numpy()] = NO_VALUE
    large = (series.abs() > EXACT).fill_null(False) if series.dtype.is_integer() else pl.Series([False])
    if large.any():
        hashes[large.to_numpy()] = _of_texts(series.filter(large).cast(pl.String))
    return hashes


def _of_floats(values: NDArray[np.float64]) -> Hashes:
    return mix((values + 0.0).view(np.uint64))


def _of_texts(texts: pl.Series) -> Hashes:
    """Each distinct text is digested once."""
    distinct = texts.unique()
    codes = np.array([NO_VALUE if text in NO_TEXT else _digest(text) for text in distinct], np.uint64)
    places = texts.replace_strict(distinct, pl.Series(range(len(distinct)), dtype=pl.Int64), return_dtype=pl.Int64)
    return codes[places.to_numpy()] if len(texts) else np.zeros(0, np.uint64)


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def mix(values: Hashes) -> Hashes:
    """The finalizer of SplitMix64: every bit of the input moves every bit of the output."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
