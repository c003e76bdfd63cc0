"""A table without a header: its first row of values would silently become the names of its columns.

Numbers can be names: years, numbered columns, wavelengths. These rise or fall from column to column, which the values
of a row seldom do. A text that is the name of a column and one of its values as well is no name either.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from dropforge.datasets.faults import DataFault
from dropforge.datasets.values import POINT, parse_numbers

if TYPE_CHECKING:
    from dropforge.datasets.table import Table


def check_header(table: Table) -> None:
    """Refuses a table whose column names are values.

    Raises:
        DataFault: half of the names and more are numbers in no order, or one is a number and another is a value of its
            own column.
    """
    parsed = parse_numbers(pl.Series(table.columns, dtype=pl.String), POINT)
    numbers = parsed.drop_nulls().to_list()
    if not numbers:
        return
    steps = [other - one for one, other in pairwise(numbers)]
    ordered = all(step > 0 for step in steps) or all(step < 0 for step in steps)
    if ordered or 2 * len(numbers) < len(table.columns):
        texts = [name for name, number in zip(table.columns, parsed, strict=True) if number is None]
        if not any(_is_own_value(table, name) for name in texts):
            return
    shown = ", ".join(table.columns[:5])
    raise DataFault(
        f"the first row looks like data ({shown}); expected the names of the columns: add a header, or put a letter "
        "before the numbers if they are names"
    )


def _is_own_value(table: Table, name: str) -> bool:
    distinct = table.facts(name).distinct
    return distinct.dtype == pl.String and bool((distinct == name).any())
