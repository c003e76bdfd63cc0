"""Dates of a whole column: the rule they are read by, their one spelling, and the arithmetic that the graph repeats.

Which spellings are read stands in `dropforge.contract.dates`; models are given ISO dates alone, in UTC.

Days are counted in the proleptic Gregorian calendar from 1970-01-01; month 1 to 12, day 1 to 31, hour 0 to 23, minute
and second 0 to 59 are checked, the length of a month is not (30 February is 2 March), so that the same few operations
fit into an ONNX graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from dropforge.contract.dates import SLASHES, canonical
from dropforge.contract.schema import DateRule

if TYPE_CHECKING:
    from dropforge.contract.schema import Order

MODEL_DATE = (
    r"^(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?:[T ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]{1,9})?)?Z?)?$"
)
"""Matches the whole of a date as models are given it, and names its parts. Graphs also take a space for the `T`, a time
to the minute, a fraction of a second (which is dropped) and a `Z`."""

LIMITS = {"month": (1, 12), "day": (1, 31), "hour": (0, 23), "minute": (0, 59), "second": (0, 59)}


def parse_dates(series: pl.Series) -> pl.Series:
    """Days since 1970-01-01 as Float64 (a time of day is a fraction), null where a text is no `MODEL_DATE`."""
    parts = series.str.extract_groups(MODEL_DATE).struct.unnest()
    numbers = {part: parts[part].cast(pl.Int64, strict=False) for part in parts.columns}
    right = series.str.contains(MODEL_DATE).fill_null(False)
    for part, (low, high) in LIMITS.items():
        right &= numbers[part].fill_null(low).is_between(low, high)
    days = civil_days(*(numbers[part].fill_null(1).to_numpy() for part in ("year", "month", "day")))
    seconds = sum(
        numbers[part].fill_null(0).to_numpy() * size for part, size in (("hour", 3600), ("minute", 60), ("second", 1))
    )
    moments = pl.Series(series.name, days + seconds / 86400.0)
    return pl.select(pl.when(right).then(moments).otherwise(None).alias(series.name)).to_series()


def civil_days(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Days since 1970-01-01 of dates given by int64 arrays; floor division only, so that any runtime agrees."""
    shifted = year - (month <= 2)
    century = shifted // 400
    of_era = shifted - century * 400
    of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    return np.asarray(century * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468)


ISO = (
    r"^([0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]))"
    r"(?:[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9])(?::([0-5][0-9])(?:\.[0-9]{1,9})?)?"
    r" ?(?:Z|UTC|GMT|([+-](?:0[0-9]|1[0-4])):?([0-5][0-9])?)?)?$"
)
"""What most files hold, and is read many rows at a time: day, hour and minute, second, and the zone's two parts."""


def canonical_dates(series: pl.Series, rule: DateRule) -> pl.Series:
    """Every (stripped) text in the spelling that models are given, null where it is no date by the rule."""
    dates = _whole_dates(series, rule)
    return dates.str.head(4) + "-01-01" if rule.year_alone else dates


def _whole_dates(series: pl.Series, rule: DateRule) -> pl.Series:
    plain = _iso_dates(series)
    others = series.filter(plain.is_null()).drop_nulls().unique()
    if len(others) == 0:
        return plain
    read = pl.Series([canonical(text, rule) for text in others.to_list()], dtype=pl.String)
    spelled = series.replace_strict(others, read, default=None, return_dtype=pl.String)
    return pl.select(pl.coalesce(plain, spelled).alias(series.name)).to_series()


def _iso_dates(series: pl.Series) -> pl.Series:
    """The dates that are written year first, many rows at a time; null for every other text."""
    parts = series.str.extract_groups(ISO).struct.unnest()
    day, clock, second, hours, minutes = (pl.col(name) for name in parts.columns)
    instant = pl.concat_str([day, pl.lit("T"), clock, pl.lit(":"), second.fill_null("00")])
    size = hours.str.slice(1).cast(pl.Int64) * 60 + minutes.fill_null("0").cast(pl.Int64)
    offset = pl.when(hours.str.starts_with("-")).then(-size).otherwise(size)
    moved = instant.str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False) - pl.duration(minutes=offset)
    spelled = pl.when(clock.is_null()).then(day).when(offset.fill_null(0) == 0).then(instant)
    return parts.select(spelled.otherwise(moved.dt.strftime("%Y-%m-%dT%H:%M:%S")).alias(series.name)).to_series()


def date_rule_of(values: pl.Series, share: float) -> DateRule | None:
    """The rule by which at least this share of the (non-null, distinct) texts are dates; None where there is none.

    The order between slashes is that of the dates which are plain (one number above 12). Where none is, the month
    comes first; where some dates say so and others the opposite, the column is not of dates.
    """
    if values.len() == 0:
        return None
    rule = DateRule(_order_of(values))
    read = canonical_dates(values, rule)
    return rule if 1 - read.null_count() / values.len() >= max(share, 1e-9) and _agrees(values, rule, share) else None


def _order_of(values: pl.Series) -> Order | None:
    first, second = _slashed(values)
    if len(first) == 0:
        return None
    return "day-first" if int((first > 12).sum()) > int((second > 12).sum()) else "month-first"


def _agrees(values: pl.Series, rule: DateRule, share: float) -> bool:
    """Whether hardly any date between slashes is plainly written in the other order."""
    first, second = _slashed(values)
    against = first if rule.slashes == "month-first" else second
    return int((against > 12).sum()) <= (1 - share) * max(len(first), 1)


def _slashed(values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The first and the second number of every date between slashes."""
    groups = values.str.extract_groups(f"^{SLASHES.pattern.replace('(?P=mark)', '[/-]')}").struct.unnest().drop_nulls()
    return groups["first"].cast(pl.Int64), groups["second"].cast(pl.Int64)
