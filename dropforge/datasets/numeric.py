"""Whether a column of texts holds numbers, in which unit, and which of its texts are strays among them.

A column is one of numbers when nearly all of its rows hold one. What else stands there is missing, counted and told:

- words without a digit (`unknown`): in a tenth of the rows at most, few different ones, and many different numbers for
  each of them, so that floors (`1`, `2`, `ground`) and grades (`K`, 1 … 12) stay categories; or, however many rows they
  are in, 1 % of the distinct values at most;
- other texts (`4O`, `12b`): in 1 % of the rows at most. Codes among which `A12` stands in 5 % stay a category.

Numbers may have a unit, one for the whole column (`contract.numbers.is_unit`): a currency may be left out in some rows,
any other unit stands in nearly all. Numbers in several units are no numbers. Nor are codes that are written in groups
of three digits, all equally long (`612 345 678`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import polars as pl

from dropforge.contract.numbers import CURRENCIES, SPACES, UNIT_AFTER, UNIT_BEFORE, is_unit
from dropforge.datasets.values import NUMBER, NUMBER_SHARE, parse_numbers, signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dropforge.contract.schema import NumberRule

MOST_WORDS = 5
"""Different words among numbers that are missing values."""

WORD_SHARE = 0.1
"""Of the rows, the share that such words may stand in."""

NUMBERS_PER_WORD = 20
"""Different numbers that there must be for each such word."""

UNIT_SHARE = 0.95
"""Of the distinct numbers, the share that must have the unit, unless it is a currency."""

MOST_UNITS = 10
"""Different units in one column that are worth a word."""

HEAD = 200
"""Distinct values that tell whether there are digits at all."""

IN_GROUPS = rf"^[+-]?\d{{1,3}}([.,]\d{{3}}|{SPACES}\d{{3}}){{2,}}$"
"""A number of two groups of thousands and more, or a code."""


class Counted(Protocol):
    """What is counted of a column of texts; `Facts` has it."""

    @property
    def distinct(self) -> pl.Series:
        """Distinct stripped texts but the missing ones: all, or an even sample."""

    @property
    def count(self) -> int:
        """How many distinct texts there are."""

    @property
    def known(self) -> int:
        """Rows that hold one."""

    @property
    def others(self) -> Mapping[str, int] | None:
        """The rows of every text that is no plain number; None where these are too many."""


@dataclass(frozen=True)
class Texts:
    """What is counted of texts in memory."""

    distinct: pl.Series
    count: int
    known: int
    others: Mapping[str, int] | None

    @classmethod
    def of(cls, texts: pl.Series) -> Texts:
        """Of stripped texts, null for a missing value."""
        counts = texts.drop_nulls().alias("value").value_counts()
        distinct, rows = counts.to_series(0), counts.to_series(1)
        other = ~distinct.str.contains(NUMBER)
        others = dict(zip(distinct.filter(other).to_list(), rows.filter(other).to_list(), strict=True))
        return cls(distinct, len(distinct), int(rows.sum()), others)


@dataclass(frozen=True)
class Numbers:
    """How a column of numbers is read."""

    rule: NumberRule
    strays: dict[str, float]
    """The texts that are no numbers, to their rows, the most frequent first; rows that were not counted are
    estimated."""


def numbers_in(column: Counted, style: NumberRule, *, wished: bool = False) -> Numbers | None:
    """How the column is read in a file of this style; None where it is none of numbers.

    Args:
        column: its texts.
        style: decimal mark and mark for thousands.
        wished: whether the spec calls it one of numbers, whatever stands there.
    """
    if column.others is not None and not column.others and style.decimal == "." and not wished:
        return Numbers(style, {}) if column.count else None
    distinct = column.distinct
    rule = replace(style, unit=unit_of(distinct, style))
    more = [text for text in column.others or () if column.count > len(distinct)]
    texts = pl.concat([distinct, pl.Series(more, dtype=pl.String)]).unique() if more else distinct
    unread = texts.filter(parse_numbers(texts, rule).is_null()).to_list()
    usual = column.known / max(column.count, 1)
    rows = {text: (column.others or {}).get(text, usual) for text in unread}
    strays = dict(sorted(rows.items(), key=lambda item: (-item[1], item[0])))
    plausible = _are_strays(strays, column, len(texts)) and not _are_codes(distinct)
    return Numbers(rule, strays) if wished or plausible else None


def stray_words(column: Counted) -> list[str]:
    """The texts without a digit that are so few, among so many others, that they stand for missing values."""
    words = [text for text in column.others or () if not any(map(str.isdigit, text))]
    rows = sum((column.others or {})[word] for word in words)
    return words if _are_few(len(words), column.count - len(words), rows, column.known) else []


def _are_few(words: int, values: int, rows: float, known: int) -> bool:
    """Whether so many different words in so many rows are missing values among so many different values."""
    return 0 < words <= MOST_WORDS and values >= NUMBERS_PER_WORD * words and rows <= WORD_SHARE * known


def _are_strays(strays: Mapping[str, float], column: Counted, texts: int) -> bool:
    """Whether so few rows hold these texts that all others are numbers."""
    if texts == len(strays):
        return False
    words = [text for text in strays if not any(map(str.isdigit, text))]
    most = (1 - NUMBER_SHARE) * column.known
    if sum(strays.values()) <= most:
        return True
    rows = sum(strays[word] for word in words)
    few = _are_few(len(words), texts - len(strays), rows, column.known)
    return (few or len(strays) <= (1 - NUMBER_SHARE) * texts) and sum(strays.values()) - rows <= most


def _are_codes(distinct: pl.Series) -> bool:
    """Whether all are written in several groups of three digits, equally long: amounts of millions are not."""
    return (
        len(distinct) > 1 and distinct.str.len_chars().n_unique() == 1 and bool(distinct.str.contains(IN_GROUPS).all())
    )


def unit_of(distinct: pl.Series, style: NumberRule) -> str:
    """The unit of these texts' numbers; empty where they have none, or several."""
    units = units_in(distinct)
    if not units:
        return ""
    unit, count = units.most_common(1)[0]
    if unit in CURRENCIES:
        return unit
    read = parse_numbers(distinct, replace(style, unit=unit)).drop_nulls()
    return unit if count >= UNIT_SHARE * len(read.filter(read != 0)) else ""


def units_in(distinct: pl.Series) -> Counter[str]:
    """What stands before and behind numbers and can be a unit, counted."""
    if not distinct.head(HEAD).str.contains(r"\d").any():
        return Counter()
    texts = signed(distinct)
    units = Counter(texts.str.extract(UNIT_BEFORE).drop_nulls().to_list())
    after = (
        texts.filter(texts.str.contains(r"^[^\d]{0,6}\d")).str.extract_groups(UNIT_AFTER).struct.unnest().drop_nulls()
    )
    for space, word in after.iter_rows():
        if is_unit(word, bool(space)):
            units[word] += 1
    return units


def several_units(distinct: pl.Series, style: NumberRule) -> tuple[str, ...]:
    """The units of texts that would be numbers if they had one unit; empty where they are others, or have one."""
    units = units_in(distinct)
    if not units or len(units) > MOST_UNITS:
        return ()
    read = pl.Series([False] * len(distinct))
    for unit in ("", *units):
        read |= parse_numbers(distinct, replace(style, unit=unit)).is_not_null()
    return tuple(unit for unit, _ in units.most_common()) if read.all() else ()
