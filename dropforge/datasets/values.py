"""Which texts are numbers, missing values, or true and false: the spellings that data and model graph agree on.

Texts are stripped of surrounding white space before any of these rules applies. The words stand in
`dropforge.contract.words`.
"""

from __future__ import annotations

import polars as pl

from dropforge.contract import numbers
from dropforge.contract.schema import NumberRule
from dropforge.contract.words import FALSE, MISSING, NO_ANSWER, TRUE

__all__ = ["FALSE", "MISSING", "NO_ANSWER", "TRUE"]


GRAPH_TRUE = (*TRUE, "1", "1.0")
GRAPH_FALSE = (*FALSE, "0", "0.0")
"""What a caller may also write for a boolean column. A column of 0 and 1 alone is a number."""

NUMBER = f"^{numbers.NUMBER}$"
"""A plain number. Infinity is none: it is missing in a column of numbers."""

PADDED = r"^[+-]?0\d+$"
"""A zero-padded code (`007`)."""

NUMBER_SHARE = 0.99
"""A column is of numbers (or dates) when this share of its distinct values is; the rest is missing then. What else
makes one of numbers stands in `numeric`."""

POINT = NumberRule(".", ",")
COMMA = NumberRule(",", ".")
"""The two ways to write numbers: with decimal points and commas for thousands, or the other way round."""


def stripped(series: pl.Series) -> pl.Series:
    """A column of text without surrounding white space; no nulls (a null is the empty text)."""
    return series.fill_null("").str.strip_chars()


def without_missing(series: pl.Series, markers: tuple[str, ...] = MISSING) -> pl.Series:
    """A stripped column of text with null for every missing marker."""
    return pl.select(pl.when(series.is_in(list(markers))).then(None).otherwise(series).alias(series.name)).to_series()


def parse_numbers(series: pl.Series, rule: NumberRule = POINT) -> pl.Series:
    """Float64 of a column of stripped text (null = missing), null where it is no number by the rule."""
    if rule.decimal == ".":
        plain = _plain(series)
        if plain.null_count() == series.null_count():
            return plain
    bare = undressed(series, rule.unit)
    if rule.thousands:
        pattern = f"^{numbers.GROUPED if rule.thousands == ',' else numbers.POINTED}$"
        without = bare.str.replace_all(rule.thousands, "", literal=True)
        bare = pl.select(pl.when(bare.str.contains(pattern)).then(without).otherwise(bare)).to_series()
    if rule.decimal == ",":
        right = bare.str.contains(f"^{numbers.COMMA_NUMBER}$")
        spelled = bare.str.replace(",", ".", literal=True)
        bare = pl.select(pl.when(right).then(spelled).otherwise(None)).to_series()
    return _plain(bare).alias(series.name)


def signed(series: pl.Series) -> pl.Series:
    """Texts with `-` in front for every way to write a minus, parentheses among them."""
    bare = series.str.replace_all(numbers.MINUS, "-")
    for form in (numbers.ACCOUNTING, numbers.TRAILING_MINUS):
        bare = bare.str.replace(f"^{form}$", "-$1")
    return bare


def undressed(series: pl.Series, unit: str = "") -> pl.Series:
    """Texts without this unit and without spaces for thousands, and with `-` for every way to write a minus."""
    bare = signed(series)
    if unit:
        bare = bare.str.replace(f"^{numbers.dressed(unit)}$", "$1$2")
    spaced = bare.str.contains(f"^{numbers.SPACED}$")
    closed = bare.str.replace_all(numbers.SPACES, "")
    return pl.select(pl.when(spaced).then(closed).otherwise(bare).alias(series.name)).to_series()


def _plain(series: pl.Series) -> pl.Series:
    numbers = series.str.contains(NUMBER)
    kept = pl.select(pl.when(numbers).then(series).otherwise(None).alias(series.name)).to_series()
    parsed = kept.cast(pl.Float64, strict=False)
    return pl.select(pl.when(parsed.is_finite()).then(parsed).otherwise(None).alias(series.name)).to_series()
