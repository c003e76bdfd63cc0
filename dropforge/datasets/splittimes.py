"""A split by time: the latest fifth of the rows is held out, and the part before it validates.

A model that serves answers rows that are later than all it has learned from. If what it predicts drifts, a hold-out of
rows between the learned ones flatters it. Rows of one time lie in one part. The folds of the other rows are blocks of
time, the last of which is the validation part. Rows without a time are learned from alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import numpy as np

from dropforge.contract.schema import DateRule
from dropforge.contract.spec import SpecFault
from dropforge.datasets.dates import canonical_dates, parse_dates
from dropforge.datasets.hashing import unit
from dropforge.datasets.splitting import FOLDS, HELD, HOLDOUT, LEFT_OUT, TRAIN, VALIDATES, VALIDATION, Assigned
from dropforge.datasets.typed import numbers_of, texts_of

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from dropforge.datasets.columns import Described
    from dropforge.datasets.hashing import Hashes

    Times = NDArray[np.float64]

FEWEST_TIMES = 5
"""Different times below which rows cannot be split by them."""

LEAST_KNOWN = 0.5
"""Share of the rows that must have a time."""

LARGEST = 0.5
"""Share of the rows that may be held out, where many rows have one time."""


def times_of(series: pl.Series, column: Described) -> Times:
    """Days since 1970-01-01, or the numbers of a column of numbers; NaN for missing.

    Raises:
        SpecFault: the column is neither of dates nor of numbers.
    """
    match column.kind:
        case "date":
            days = parse_dates(canonical_dates(texts_of(series), column.dates or DateRule()))
            return np.asarray(days.fill_null(np.nan).to_numpy())
        case "number":
            return np.asarray(numbers_of(series, column.numbers).fill_null(np.nan).to_numpy())
        case "category" | "boolean":
            example = next(iter(series.drop_nulls().unique().sort()), "")
            raise SpecFault(
                f"split: {{time: {column.name}}}: expected a column of dates or numbers, got a {column.kind} with "
                f"values such as {example!r}; name another column, or write its dates like 2024-05-31T12:30:00"
            )
        case _:
            assert_never(column.kind)


def iso_date(days: float) -> str:
    """Days since 1970-01-01 as a date, with the time of day where there is one."""
    text = str(np.datetime64(round(days * 86400), "s"))
    return text.removesuffix("T00:00:00")


def assign_times(times: Times, rows: Hashes, gap: float, name: str) -> Assigned:
    """The part and the fold of every row.

    Args:
        times: of the rows, [N], NaN for missing.
        rows: the rows' hashes.
        gap: the rows of this span (in the unit of `times`) before each later part are left out.
        name: of the column.

    Raises:
        SpecFault: the times allow no such split.
    """
    where, known = f"split: {{time: {name}}}", np.isfinite(times)
    distinct, counts = np.unique(times[known], return_counts=True)
    if len(distinct) < FEWEST_TIMES or known.mean() < LEAST_KNOWN:
        raise SpecFault(
            f"{where}: {len(distinct):,} different times in {known.mean():.0%} of the rows; expected at least "
            f"{FEWEST_TIMES} in {LEAST_KNOWN:.0%}: name another column, or split otherwise"
        )
    held = _start(distinct, counts, HOLDOUT)
    before = distinct < held - gap
    validates = _start(distinct[before], counts[before], VALIDATION / (1 - HOLDOUT)) if before.sum() > 1 else held
    labels = np.full(len(times), TRAIN)
    labels[known & (times >= validates - gap)] = LEFT_OUT
    labels[known & (times >= validates) & (times < held - gap)] = VALIDATES
    labels[known & (times >= held)] = HELD
    shares = np.bincount(labels, minlength=LEFT_OUT + 1) / len(labels)
    if shares[HELD] > LARGEST or shares[:LEFT_OUT].min() == 0:
        raise SpecFault(
            f"{where}: {shares[HELD]:.0%} of the rows would be held out and {shares[LEFT_OUT]:.0%} lie in the gaps, "
            f"which leaves {shares[TRAIN]:.0%} to learn from; expected about 64 %: "
            + ("choose a shorter gap" if gap else "name a column with finer times, or split otherwise")
        )
    return Assigned(labels, _folds(times, labels, rows), start=held)


def _start(distinct: Times, counts: NDArray[np.int64], share: float) -> float:
    """The time from which on about this share of the rows lies, of all but the first."""
    later = np.cumsum(counts[::-1])[::-1][1:] / counts.sum()
    return float(distinct[1:][np.argmin(np.abs(later - share))])


def _folds(times: Times, labels: NDArray[np.int64], rows: Hashes) -> NDArray[np.int64]:
    """Blocks of time with about equally many rows; the last one is the validation part."""
    learned = (labels == TRAIN) & np.isfinite(times)
    distinct, places, counts = np.unique(times[learned], return_inverse=True, return_counts=True)
    middles = (np.cumsum(counts) - counts / 2) / max(int(counts.sum()), 1)
    blocks = np.unique((middles * (FOLDS - 1)).astype(np.int64), return_inverse=True)[1]
    folds = (unit(rows) * FOLDS).astype(np.int64)  # of rows without a time
    folds[learned] = blocks[places]
    folds[labels == VALIDATES] = int(blocks.max()) + 1 if len(distinct) else 0
    return folds
