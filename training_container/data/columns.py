"""What kind each column is, and which columns are left out and why.

The rule, over the values of a column without missing markers (`values.MISSING`); the first that fits decides:

1. all words of `values.TRUE` and `FALSE`, and both occur: boolean;
2. a zero-padded code among numbers: category;
3. 99 % of the distinct values are numbers (also `1,234.5`, `12,5`, `$3`, `40 %`): number, the rest missing; but whole
   numbers that repeat in a column called as ids are (`shop_id`) name things: category;
4. 99 % of the distinct values are dates of one format of `dates.DATE_FORMATS`: date;
5. category otherwise.

Left out: columns without values or with one value, copies of a column to their left, ids, and free text. A column that
`spec.kinds` names keeps its place unless it is constant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from training_container.data.dates import date_format_of
from training_container.data.hashing import cell_hashes
from training_container.data.values import FALSE, NUMBER_SHARE, PADDED, TRUE, parse_numbers, stripped, without_missing

if TYPE_CHECKING:
    from dropforge.contract.schema import TableKind as Kind
    from dropforge.contract.spec import Spec

ID_ROWS = 20
"""Fewer distinct values are no proof of an id or of free text."""

ID_SHARE = 0.95
"""A text column is an id when this share of its values is distinct."""

DENSE = 0.8
"""Whole numbers that differ in every row and fill this share of their range count rows."""

ID_NAME = re.compile(
    r"(^|[_\s.-])(id|ids|uuid|guid)$|^(index|idx|key|rowid|row[_\s-]?(no|num|number|names?))$|^unnamed: ?\d+$"
)
"""What an id column is usually called, in lower case (`customer_id`, `Unnamed: 0`)."""

CAMEL_ID = re.compile(r"[a-z](Id|ID)$|^ID[A-Z]?[a-z]*$")
YEARS = (1500, 2200)


@dataclass(frozen=True)
class Described:
    """One column: its kind, and why it is left out when it is."""

    name: str
    kind: Kind
    date_format: str | None = None
    dropped: str = ""
    """Empty for a column that the model reads."""


def describe(frame: pl.DataFrame, spec: Spec, target: str | None = None) -> dict[str, Described]:
    """Every column but the target, in the order of the file."""
    found: dict[str, Described] = {}
    seen: dict[bytes, str] = {}
    for name in frame.columns:
        if name == target:
            continue
        column = describe_column(frame[name], spec)
        content = cell_hashes(frame[name]).tobytes() if not column.dropped else b""
        first = seen.setdefault(content, name) if content else name
        if first != name:
            column = Described(name, column.kind, column.date_format, f"copy of column {first!r}")
        found[name] = column
    return found


def describe_column(series: pl.Series, spec: Spec) -> Described:
    """Kind and fate of one column, without a look at the others."""
    name = series.name
    wished = spec.kinds.get(name)
    if series.dtype.is_numeric():
        values = series.cast(pl.Float64).fill_nan(None).drop_nulls()
        kind, form = wished or ("category" if _names_things(series.name, values) else "number"), None
    else:
        values = without_missing(stripped(series)).drop_nulls()
        kind, form = (wished, None) if wished else kind_of(values)
        if kind == "number" and not wished and _names_things(name, values):
            kind = "category"
    if kind == "date" and form is None:
        form = date_format_of(_texts(values).unique(), 0.0)
    why = "left out by the spec" if name in spec.drop else _why_dropped(series, values, kind, bool(wished))
    return Described(name, kind, form, why)


def kind_of(values: pl.Series) -> tuple[Kind, str | None]:
    """Kind of a column of stripped texts without missing ones, and its date format when it is of dates."""
    distinct = values.unique()
    if distinct.is_in([*TRUE, *FALSE]).all() and distinct.is_in(list(TRUE)).any() and distinct.is_in(list(FALSE)).any():
        return "boolean", None
    if _share_of_numbers(distinct) >= NUMBER_SHARE:
        return ("category" if distinct.str.contains(PADDED).any() else "number"), None
    form = date_format_of(distinct, NUMBER_SHARE)
    return ("category", None) if form is None else ("date", form)


def _names_things(name: str, values: pl.Series) -> bool:
    """Whether numbers are foreign keys: called as ids are, whole, and not one a row."""
    if not is_id_name(name) or values.n_unique() == len(values):
        return False
    numbers = values if values.dtype.is_numeric() else parse_numbers(values)
    return bool((numbers == numbers.floor()).all())


def _share_of_numbers(distinct: pl.Series) -> float:
    if len(distinct) == 0:
        return 0.0
    return 1 - parse_numbers(distinct).null_count() / len(distinct)


def _why_dropped(series: pl.Series, values: pl.Series, kind: Kind, wished: bool) -> str:
    distinct = values.n_unique()
    if distinct == 0:
        return "no value in any row"
    if distinct == 1 and len(values) == len(series):
        return "the same value in every row"
    if wished or distinct < ID_ROWS:
        return ""
    if kind == "number":
        return _why_number_dropped(series, values, distinct)
    if kind == "category":
        return _why_text_dropped(series.name, _texts(values), distinct)
    return ""


def _why_number_dropped(series: pl.Series, values: pl.Series, distinct: int) -> str:
    if distinct < len(series):
        return ""
    numbers = values if values.dtype.is_numeric() else parse_numbers(values)
    array = numbers.drop_nulls().to_numpy()
    if len(array) < len(series) or (array != np.floor(array)).any():
        return ""
    low, high = array.min(), array.max()
    if low in (0, 1) and len(array) >= DENSE * (high - low + 1):
        return f"row numbers: {low:.0f} to {high:.0f}, none twice"
    if is_id_name(series.name):
        return "an id by its name: a different whole number in every row"
    years = low >= YEARS[0] and high <= YEARS[1]
    steps = np.diff(array)
    if ((steps > 0).all() or (steps < 0).all()) and not years:
        return "an id by its values: whole numbers that grow from row to row"
    return ""


def _why_text_dropped(name: str, values: pl.Series, distinct: int) -> str:
    share = distinct / len(values)
    words = float(values.str.count_matches(r"\s+").mean() or 0) + 1  # type: ignore[arg-type]  # a mean of counts is a number
    length = float(values.str.len_chars().mean() or 0)  # type: ignore[arg-type]
    if share > 0.5 and (words >= 3 or length > 50):
        return f"free text: {distinct} different texts in {len(values)} rows, {words:.0f} words each"
    if share >= ID_SHARE or is_id_name(name) and share > 0.5:
        return f"an id: {distinct} different texts in {len(values)} rows"
    return ""


def is_id_name(name: str) -> bool:
    """Whether a column is called as ids are."""
    return ID_NAME.search(name.lower()) is not None or CAMEL_ID.search(name) is not None


def _texts(values: pl.Series) -> pl.Series:
    return values.cast(pl.String) if values.dtype.is_numeric() else values
