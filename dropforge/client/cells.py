"""Values of a program as JSON has them: numbers, texts, booleans, dates in UTC, and None for every kind of gap.

numpy's, pandas', polars' and pyarrow's own values are read without importing any of these libraries.
"""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from typing import Any

from dropforge.client.faults import Fault

GAPS = ("NAType", "NaTType")
"""The classes of `pandas.NA` and `pandas.NaT`; the latter calls itself a datetime."""

AT_ONCE = (str, int, bool, type(None))
"""Types whose values JSON has as they are."""


def plain(value: Any, row: int, column: str) -> str | int | float | bool | None:
    """The value as JSON has it; NaN, which JSON has not, is a missing value as everywhere here.

    Args:
        value: of a row.
        row: number of the row, counted from 0.
        column: name of the column.

    Raises:
        Fault: JSON has no form for it, as for bytes, complex numbers, lists and infinity; it names row and column.
    """
    if type(value) in AT_ONCE:
        return value  # type: ignore[no-any-return]
    number = with_infinity(value, row, column)
    if isinstance(number, float) and math.isinf(number):
        raise _wrong(f"expected a finite number or None, got {number}", row, column)
    return number


def with_infinity(value: Any, row: int, column: str) -> str | int | float | bool | None:
    """As `plain`, but infinity is a number too, as it is in a file."""
    value = _of_python(value)
    if isinstance(value, datetime.datetime):
        moment = value if value.tzinfo is None else value.astimezone(datetime.UTC).replace(tzinfo=None)
        return moment.isoformat(timespec="seconds")  # as a data set in Parquet is read
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, float) and math.isnan(value):
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    raise _wrong(f"expected a text, a number, a date, a boolean or None, got {value!r:.60}", row, column)


def _of_python(value: Any) -> Any:
    """A value of another library as one of Python, None for its gaps; every other value as it is."""
    kind = type(value).__name__
    if kind in GAPS:
        return None
    if kind == "datetime64":
        found = value.astype("datetime64[us]").item()  # finer ones are numbers to Python
        return value if isinstance(found, int) else found  # as those beyond the year 9999 are
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        return value.item()  # a number of numpy or torch
    if isinstance(value, Decimal):
        return math.nan if value.is_nan() else float(value)
    return value


def _wrong(reason: str, row: int, column: str) -> Fault:
    field = f"rows[{row}].{column}"
    return Fault(f"{field}: {reason}", "rows", field, row, column)
