"""Refuses, before anything is trained, data that the finished model's file, its proof or the server would refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from dropforge.contract.remarks import yaml_text
from dropforge.contract.schema import LONGEST_TEXT
from dropforge.datasets.faults import DataFault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dropforge.datasets.dataset import Dataset
    from dropforge.datasets.table import Table

SHOWN = 60
"""Characters of a name in a message."""


def check_servable(table: Table, dataset: Dataset) -> None:
    """Refuses names and texts of the columns that the model reads, and of its target, which no request can hold.

    Raises:
        DataFault: the column, the row in the data (the header is not counted) and the line of spec.yaml that leaves
            the column out.
    """
    check_names(column.name for column in dataset.columns)
    for column in dataset.columns:
        if column.kind in ("category", "boolean"):
            _check_texts(table[column.name], f", or leave it out with `drop: [{yaml_text(column.name)}]` in spec.yaml")
    if dataset.classes:
        _check_texts(table[dataset.target], "")


def check_names(names: Iterable[str]) -> None:
    """Refuses, with `DataFault`, a name with a NUL character."""
    for name in names:
        if "\0" in name:
            raise DataFault(f"column {name[:SHOWN]!r}: expected a name without a NUL character: rename it")


def _check_texts(series: pl.Series, way_out: str) -> None:
    """Refuses texts that are too long for a request, or hold a NUL character, which would cut them."""
    if series.dtype != pl.String:
        return
    texts = series.str.strip_chars()
    lengths = texts.str.len_chars().fill_null(0)
    row = int(lengths.arg_max() or 0)
    if len(lengths) and lengths[row] > LONGEST_TEXT:
        raise DataFault(
            f"row {row + 1} of {series.name!r} has {lengths[row]:,} characters; expected at most {LONGEST_TEXT:,} in a "
            f"category: shorten it{way_out}"
        )
    cut = texts.str.contains("\0", literal=True).fill_null(False)
    if cut.any():
        row = int(cut.arg_max() or 0)
        raise DataFault(
            f"row {row + 1} of {series.name!r} holds a NUL character; expected text: write it without{way_out}"
        )
