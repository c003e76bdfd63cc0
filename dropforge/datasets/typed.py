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


def typed_column(series: pl.Series, column: Described) -> NDArray[Any]:
    """The values of a described column. See `typed`."""
    return typed(series, column.kind, column.dates, column.numbers)


def typed(
    series: pl.Series, kind: TableKind, dates: DateRule | None = None, numbers: NumberRule | None = None
) -> NDArray[Any]:
    """The values of one column as in `Rows`: float32 [N] for a number, str objects [N] otherwise.

    `dates` is how a column of dates is read; its values come out in the one spelling that models are given. `numbers`
    is how the texts of a column of numbers are read.
    """
    match kind:
        case "number":
            return _float32(numbers_of(series, numbers))
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


def _float32(numbers: pl.Series) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        values = numbers.fill_null(np.nan).to_numpy().astype(np.float32)
    return np.where(np.isfinite(values), values, np.float32(np.nan))


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
