"""The groups that rows are scored by: a column of the spec's `groups` as one label a row.

A number becomes its band between the quartiles of the training rows (a column of at most `FEW` different numbers keeps
them), a date its year, anything else its text; a missing value is a group of its own. Small groups are merged later,
where it is known which rows are scored. A column may be one that the model does not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import numpy as np
import polars as pl

from dropforge.contract.figures import figure
from dropforge.contract.schema import DateRule
from dropforge.contract.spec import SpecFault
from dropforge.datasets.dataset import Groups
from dropforge.datasets.dates import canonical_dates, parse_dates
from dropforge.datasets.typed import numbers_of
from dropforge.datasets.values import stripped, without_missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dropforge.datasets.columns import Described
    from dropforge.datasets.table import Table

MISSING_GROUP = "missing"
FEW = 6
"""Most different numbers that are groups by themselves."""

BANDS = 4


def group_labels(
    table: pl.DataFrame | Table,
    described: Mapping[str, Described],
    names: Sequence[str],
    rows: NDArray[np.int64],
    train: NDArray[np.int64],
) -> dict[str, Groups]:
    """Name of each column to the groups of `rows`; `train` are the rows that set the bands.

    Raises:
        SpecFault: a column to group by is the target.
    """
    for name in names:
        if name not in described:
            raise SpecFault(f"groups: {name!r} is the target; expected another column, whose rows can be told apart")
    every = {name: groups_of(table[name], described[name], train) for name in names}
    return {name: Groups(groups.labels[rows], groups.order) for name, groups in every.items()}


def groups_of(series: pl.Series, column: Described, train: NDArray[np.int64]) -> Groups:
    """The groups of every row of one column."""
    texts = without_missing(stripped(series.cast(pl.String)))
    match column.kind:
        case "number":
            return _bands(numbers_of(series, column.numbers).fill_null(np.nan).to_numpy(), train)
        case "date":
            return _years(parse_dates(canonical_dates(texts, column.dates or DateRule())).to_numpy())
        case "category" | "boolean":
            labels = np.array([str(text) for text in texts.fill_null(MISSING_GROUP)], dtype=object)
            return Groups(labels, _in_order_of_numbers(texts.drop_nulls().unique().to_list()))
        case _:
            assert_never(column.kind)


def _in_order_of_numbers(labels: Sequence[str]) -> tuple[str, ...]:
    """The labels from low to high; nothing where one of them is no number."""
    try:
        return tuple(sorted(labels, key=lambda label: (float(label), label)))
    except ValueError:
        return ()


def _bands(numbers: NDArray[np.float64], train: NDArray[np.int64]) -> Groups:
    known = np.isfinite(numbers)
    different = np.unique(numbers[known])
    if len(different) <= FEW:
        labels = [_say(number) if there else MISSING_GROUP for number, there in zip(numbers, known, strict=True)]
        return Groups(np.array(labels, dtype=object), tuple(map(_say, different)))
    learned = numbers[train][known[train]]
    edges = np.unique(np.quantile(learned if len(learned) else numbers[known], np.linspace(0, 1, BANDS + 1)[1:-1]))
    words = [f"up to {_say(edges[0])}"]
    words += [f"{_say(low)} to {_say(high)}" for low, high in zip(edges[:-1], edges[1:], strict=True)]
    words.append(f"over {_say(edges[-1])}")
    places = np.searchsorted(edges, np.where(known, numbers, edges[0]), side="left")
    return Groups(np.where(known, np.array(words, dtype=object)[places], MISSING_GROUP), tuple(words))


def _years(days: NDArray[np.float64]) -> Groups:
    known = np.isfinite(days)
    dates = np.where(known, np.floor(days), 0).astype("datetime64[D]")
    years = dates.astype("datetime64[Y]").astype(int) + 1970
    labels = np.where(known, years.astype(str).astype(object), MISSING_GROUP)
    return Groups(labels, tuple(map(str, np.unique(years[known]).tolist())))


def _say(number: float) -> str:
    """A number at the edge of a band, four digits that count."""
    return figure(float(number))
