"""The rows of an Excel sheet as frames."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import polars as pl

from dropforge.datasets.delimited import check_names
from dropforge.datasets.excel import read_sheet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = 50_000
"""Rows of a frame."""


def read_excel_blocks(path: Path, sheet: str, limit: int | None = None) -> Iterator[pl.DataFrame]:
    """The sheet's rows, or the first `limit` of them, some at a time: String columns, "" for no value.

    At least one frame, which may be empty.

    Raises:
        DataFault: as `read_sheet`; or names are empty or stand twice.
    """
    names, rows = read_sheet(path, sheet)
    check_names(names)
    rows, is_first = islice(rows, limit), True
    while (block := list(islice(rows, ROWS))) or is_first:
        columns = zip(*block, strict=True) if block else ((),) * len(names)
        yield pl.DataFrame([pl.Series(name, values, pl.String) for name, values in zip(names, columns, strict=True)])
        is_first = False
