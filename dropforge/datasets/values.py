"""Which texts are numbers, missing values, or true and false: the spellings that data and model graph agree on.

Texts are stripped of surrounding white space before any of these rules applies. The words stand in
`dropforge.contract.words`.
"""

from __future__ import annotations

import polars as pl

from dropforge.contract import numbers
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
"""A column is of numbers (or dates) when this share of its distinct values is; the rest is missing then."""


def stripped(series: pl.Series) -> pl.Series:
    """A column of text without surrounding white space; no nulls (a null is the empty text)."""
    return series.fill_null("").str.strip_chars()


def without_missing(series: pl.Series, markers: tuple[str, ...] = MISSING) -> pl.Series:
    """A stripped column of text with null for every missing marker."""
    return pl.select(pl.when(series.is_in(list(markers))).then(None).otherwise(series).alias(series.name)).to_series()


def parse_numbers(series: pl.Series) -> pl.Series:
    """Float64 of a column of text (null = missing), null where it is no number.

    Plain numbers first. Then signs of currencies, spaces for thousands and other kinds of minus are taken away
    (`undressed`), and commas are thousands (`1,234.5`) when every comma can be one, decimal (`12,5`) otherwise.
    """
    plain = _plain(series)
    if plain.null_count() == series.null_count():
        return plain
    bare = undressed(series)
    commas = bare.filter(bare.str.contains(",", literal=True))
    if len(commas) and commas.str.contains(f"^{numbers.GROUPED}$").all():
        bare = bare.str.replace_all(",", "", literal=True)
    elif len(commas) and commas.str.contains(f"^{numbers.DECIMAL_COMMA}$").all():
        bare = bare.str.replace(",", ".", literal=True)
    return _plain(bare)


def without_points(series: pl.Series) -> pl.Series | None:
    """The texts (null = missing) of a column with points for thousands, without them; None for any other column.

    Every value must be such a number or have no point. What proves that points are no decimal marks is a decimal comma
    beside one (`1.299,99`), a second one (`1.234.567`), or `1.250` beside `980`: who writes the zero of 1.250 as a
    decimal would write 980.000.
    """
    bare = undressed(series)
    known = bare.drop_nulls().unique()
    pointed = known.filter(known.str.contains(f"^{numbers.POINTED}$"))
    others = known.filter(~known.str.contains(".", literal=True))
    if not len(pointed) or len(pointed) + len(others) < len(known):
        return None
    small = others.str.contains(r"^[+-]?\d{1,3}$")
    plain = others.str.contains(f"^[+-]?\\d+$|^{numbers.DECIMAL_COMMA}$")
    sure = pointed.str.contains(r"\..*[.,]").any()
    if not plain.all() or not (sure or len(others) and small.all() and pointed.str.ends_with("0").any()):
        return None
    return bare.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)


def undressed(series: pl.Series) -> pl.Series:
    """Texts without currency and per cent signs and spaces for thousands, and with `-` for every kind of minus."""
    signed = series.str.replace_all(numbers.MINUS, "-").str.replace(f"^{numbers.ACCOUNTING}$", "-$1")
    bare = signed.str.replace(f"^{numbers.DRESSED}$", "$1$2")
    spaced = bare.str.contains(f"^{numbers.SPACED}$")
    closed = bare.str.replace_all(numbers.SPACES, "")
    return pl.select(pl.when(spaced).then(closed).otherwise(bare).alias(series.name)).to_series()


def _plain(series: pl.Series) -> pl.Series:
    numbers = series.str.contains(NUMBER)
    kept = pl.select(pl.when(numbers).then(series).otherwise(None).alias(series.name)).to_series()
    parsed = kept.cast(pl.Float64, strict=False)
    return pl.select(pl.when(parsed.is_finite()).then(parsed).otherwise(None).alias(series.name)).to_series()
