"""What one pass over a column counts, some rows at a time: all that `columns` needs to tell its kind and fate.

Memory does not grow with the rows: of the distinct values only the `SAMPLE` with the lowest hashes are held. Up to that
many, all counts are exact; beyond, the held ones are an even sample of the distinct values, and how many there are is
an estimate within about 1 %.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from dropforge.datasets.values import MISSING, NUMBER_SHARE, PADDED, POINT, parse_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE = 1 << 16
"""Distinct values that are held."""

OTHERS = 1000
"""Different texts that are no plain numbers, up to which the rows of each are counted."""

ALL = 2**64
NEARLY = 0.99
"""Where counts are estimates, all values differ when this share of them is distinct."""

HEAD = 2000
"""Rows that tell whether a block repeats itself, so that its distinct values are worth finding first; and of a block of
more than `SAMPLE` rows, those whose words are counted."""


class Facts:
    """What is known of one column; `numeric` says whether it is stored as numbers or as texts."""

    def __init__(self, name: str, numeric: bool) -> None:
        self.name, self.numeric = name, numeric
        self.rows = self.known = 0
        """Rows, and those that hold no missing marker."""
        self.others: dict[str, int] | None = {}
        """The rows of every text that is no plain number; None where these are more than `OTHERS`."""
        self.padded = False
        """Whether a zero-padded code stands in any row."""
        self.whole = True
        """Whether every row so far holds a whole number, none of them seen twice nearby; then the rest is known."""
        self.low, self.high = np.inf, -np.inf
        self.rising = self.falling = True
        self.even = True
        """Whether all steps from row to row are the same, while every row holds a whole number."""
        self._step: float | None = None
        self._last = np.zeros(0)
        self._held: list[pl.Series] = []
        self._bound = ALL
        self._words = self._length = self._texts = 0

    @classmethod
    def of(cls, series: pl.Series) -> Facts:
        """The facts of a column in memory."""
        facts = cls(series.name, series.dtype.is_numeric())
        facts.add(series)
        return facts

    @property
    def distinct(self) -> pl.Series:
        """Distinct values (Float64, or stripped texts): all of them, or an even sample of `SAMPLE`."""
        self._compact()
        return self._held[0] if self._held else pl.Series(self.name, [], pl.Float64 if self.numeric else pl.String)

    @property
    def count(self) -> int:
        """How many distinct values there are; an estimate where `distinct` is a sample."""
        held = len(self.distinct)
        return held if self._bound == ALL else min(self.known, round(held * ALL / self._bound))

    @property
    def all_differ(self) -> bool:
        """Whether no two values are the same."""
        return self.count == self.known if self._bound == ALL else self.count >= NEARLY * self.known

    @property
    def words(self) -> float:
        """Words of a value, on average; 1 where values repeat too much to be texts."""
        return self._words / self._texts + 1 if self._texts else 1.0

    @property
    def length(self) -> float:
        """Characters of a value, on average; 0 where values repeat too much to be texts."""
        return self._length / self._texts if self._texts else 0.0

    def pass_by(self, rows: int) -> None:
        """Counts rows that hold no value."""
        self.rows += rows
        self.whole = self.whole and rows == 0

    def add(self, series: pl.Series) -> None:
        """Counts the column's next rows."""
        if len(series) == 0:
            return
        self.rows += len(series)
        head = series.head(HEAD)
        if not self.numeric and head.n_unique() * 2 < len(head) and self._add_repeated(series.fill_null("")):
            return
        values = _values(series)
        self.known += len(values)
        if not self.numeric:
            self._count_others(values)
            self.padded = self.padded or _has_padded(values)
            if len(values) <= SAMPLE or not _are_numbers(values.head(100)):
                self._read(values if len(values) <= SAMPLE else values.head(HEAD))
        self._count(values, len(series))
        self._hold(values)

    def _add_repeated(self, series: pl.Series) -> bool:
        """The same by the distinct values alone; False, with nothing counted, where most values differ after all."""
        counts = series.alias("value").value_counts()
        texts, rows = counts.to_series(0).str.strip_chars(), counts.to_series(1)
        missing = texts.is_in(list(MISSING))
        gone = int(rows.filter(missing).sum())
        values = texts.filter(~missing)
        if len(values) * 2 > len(series) - gone:
            return False
        self.known += len(series) - gone
        self.padded = self.padded or _has_padded(values)
        self.whole = False
        self._note_others(values, rows.filter(~missing))
        self._hold(values)
        return True

    def _count_others(self, values: pl.Series) -> None:
        """Counts the rows of texts that are no plain numbers."""
        head = values.head(HEAD)
        if self.others is None or head.filter(~_are_plain(head)).n_unique() > OTHERS:
            self.others = None
            return
        counts = values.filter(~_are_plain(values)).alias("value").value_counts()
        self._note_others(counts.to_series(0), counts.to_series(1))

    def _note_others(self, values: pl.Series, rows: pl.Series) -> None:
        """Adds up the rows of those distinct texts that are no plain numbers, for as long as these are few."""
        if self.others is None:
            return
        other = ~_are_plain(values)
        for text, count in zip(values.filter(other), rows.filter(other), strict=True):
            self.others[text.strip()] = self.others.get(text.strip(), 0) + count
        if len(self.others) > OTHERS:
            self.others = None

    def _read(self, values: pl.Series) -> None:
        self._texts += len(values)
        self._words += int(values.str.count_matches(r"\s+").sum())
        self._length += int(values.str.len_chars().sum())

    def _count(self, values: pl.Series, rows: int) -> None:
        """Follows whole numbers for as long as every row holds one."""
        if not self.whole:
            return
        self.whole = len(values) == rows and _whole(values.head(100)) is not None
        numbers = _whole(values) if self.whole else None
        self.whole = numbers is not None
        if numbers is None:
            return
        steps = np.diff(np.r_[self._last, numbers])
        self.rising, self.falling = self.rising and bool((steps > 0).all()), self.falling and bool((steps < 0).all())
        if len(steps):
            self._step = float(steps[0]) if self._step is None else self._step
            self.even = self.even and bool((steps == self._step).all())
        self.low, self.high = min(self.low, float(numbers.min())), max(self.high, float(numbers.max()))
        self._last = numbers[-1:]

    def _hold(self, values: pl.Series) -> None:
        if self._bound < ALL:
            values = values.filter(values.hash(seed=0) < self._bound)
            values = values if self.numeric else values.str.strip_chars()
        self._held.append(values.unique())
        if sum(map(len, self._held)) > 2 * SAMPLE:
            self._compact()

    def _compact(self) -> None:
        if len(self._held) == 1 and len(self._held[0]) <= SAMPLE:
            return
        held = pl.concat(self._held).unique() if self._held else None
        if held is None:
            return
        if len(held) > SAMPLE:
            hashes = held.hash(seed=0)
            self._bound = int(np.partition(hashes.to_numpy(), SAMPLE)[SAMPLE])
            held = held.filter(hashes < self._bound)
            held = held if self.numeric else held.str.strip_chars().unique()
        self._held = [held]


def _values(series: pl.Series) -> pl.Series:
    """Float64, or texts without surrounding white space; no missing ones.

    Stripping is the dearest of all that is done to large blocks, so it is left out where their first rows need none. A
    stray blank further down then makes a value of its own; those that are held are stripped in any case.
    """
    if series.dtype.is_numeric():
        return series.cast(pl.Float64).fill_nan(None).drop_nulls()
    texts = series.fill_null("")
    head = texts.head(HEAD)
    if len(texts) <= SAMPLE or not (head.str.strip_chars() == head).all():
        texts = texts.str.strip_chars()
    missing = texts.is_in(list(MISSING))
    return texts.filter(~missing) if missing.any() else texts


def _has_padded(values: pl.Series) -> bool:
    """Whether one is a zero-padded code; all of these sort before "1", which is quick to tell."""
    return bool(values.filter(values < "1").str.strip_chars().str.contains(PADDED).any())


def _are_plain(values: pl.Series) -> pl.Series:
    """Which texts are finite plain numbers without a blank around them."""
    return values.cast(pl.Float64, strict=False).is_finite().fill_null(False)


def _are_numbers(values: pl.Series) -> bool:
    return parse_numbers(values, POINT).null_count() <= (1 - NUMBER_SHARE) * len(values)


def _whole(values: pl.Series) -> NDArray[np.float64] | None:
    """The values as numbers, None unless each is a whole one."""
    numbers = values if values.dtype.is_numeric() else parse_numbers(values, POINT)
    array = numbers.drop_nulls().to_numpy()
    if len(array) == 0 or len(array) < len(values) or not np.isfinite(array).all():
        return None
    return array if (array == np.floor(array)).all() else None
