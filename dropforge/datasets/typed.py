"""Columns as read from a file to columns as `Rows` has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

import numpy as np
import polars as pl

from dropforge.contract.schema import DateRule
from dropforge.datasets.dates import canonical_dates
from dropforge.datasets.values import POINT, parse_numbers, stripped, without_missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dropforge.contract.schema import NumberRule, TableKind
    from dropforge.datasets.columns import Described


LOST = 1e-3
"""The share of its values' range that rounding to float32 may take from a column."""

NOISE = 1e-12
"""Values that differ by a smaller share of themselves differ by how computers add (0.1 + 0.2), not by what they say."""

LOOKED_AT = 10_000
"""Values of a column that decide, about so many, spread over all rows."""


def typed_column(series: pl.Series, column: Described) -> NDArray[Any]:
    """The values of a described column. See `typed`."""
    if column.prefix:
        return _shared(cut(_composed(texts_of(series)), column.prefix))
    return typed(series, column.kind, column.dates, column.numbers)


def cut(texts: pl.Series, prefix: int) -> pl.Series:
    """The first characters of generalised texts, as `dropforge.inference.values` takes them of a request's."""
    return texts.str.head(prefix).str.strip_chars()


def typed(
    series: pl.Series, kind: TableKind, dates: DateRule | None = None, numbers: NumberRule | None = None
) -> NDArray[Any]:
    """The values of one column as in `Rows`: float32 or float64 [N] for a number, str objects [N] otherwise.

    `dates` is how a column of dates is read; its values come out in the one spelling that models are given. `numbers`
    is how the texts of a column of numbers are read.
    """
    match kind:
        case "number":
            return _floats(numbers_of(series, numbers))
        case "category" | "boolean":
            return _shared(_composed(texts_of(series)))
        case "date":
            return _shared(canonical_dates(texts_of(series), dates or DateRule()).fill_null(""))
        case _:
            assert_never(kind)


def numbers_of(series: pl.Series, rule: NumberRule | None) -> pl.Series:
    """The numbers of a column of them as Float64, null for a missing value and for what is no number."""
    if series.dtype.is_numeric():
        return series.cast(pl.Float64)
    return parse_numbers(without_missing(stripped(series)), rule or POINT)


def _floats(numbers: pl.Series) -> NDArray[Any]:
    exact = numbers.fill_null(np.nan).to_numpy()
    if needs_double(exact):
        return np.where(np.isfinite(exact), exact, np.nan)
    with np.errstate(over="ignore"):
        values = exact.astype(np.float32)
    return np.where(np.isfinite(values), values, np.float32(np.nan))


def needs_double(values: NDArray[np.float64]) -> bool:
    """Whether float32 rounds away what the values differ by: 2.4e9 ± 40, seconds since 1970 of one hour, 1e-50.

    The typical rounding of the distinct values is compared with the range of their middle half. A few values far off
    thus decide nothing, nor does a tail that float32 holds less exactly than the rest.
    """
    distinct = np.unique(values[:: max(1, len(values) // LOOKED_AT)])
    distinct = distinct[np.isfinite(distinct)]
    if len(distinct) < 2:
        return False
    low, high = np.quantile(distinct, [0.25, 0.75])
    if high - low <= NOISE * np.abs(distinct).max():
        return False
    with np.errstate(over="ignore"):
        lost = np.median(np.abs(distinct.astype(np.float32) - distinct))
    return bool(lost > LOST * (high - low))


def texts_of(series: pl.Series) -> pl.Series:
    """Stripped texts with "" for missing; a whole number that was stored as a float has no `.0`."""
    if series.dtype.is_float():
        whole = series.cast(pl.Int64, strict=False)
        series = whole if (whole.cast(pl.Float64) == series).fill_null(True).all() else series
    return without_missing(stripped(series.cast(pl.String))).fill_null("")


def _composed(texts: pl.Series) -> pl.Series:
    """The texts with accents in their letters, however they were typed."""
    return texts if texts.str.len_bytes().sum() == texts.str.len_chars().sum() else texts.str.normalize("NFC")


def _shared(texts: pl.Series) -> NDArray[Any]:
    """Python texts as objects [N], one object for all equal ones: 8 bytes a row, however long they are."""
    distinct = texts.unique()
    if len(distinct) * 2 > len(texts):
        return texts.to_numpy().astype(object)
    places = texts.cast(pl.Enum(distinct)).to_physical().to_numpy()
    return np.asarray(distinct.to_numpy().astype(object)[places])
