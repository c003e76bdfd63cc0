"""Date formats: the exact list that a column of dates may be written in, and the arithmetic that the graph repeats.

A column has one format, decided over all its values. Days are counted in the proleptic Gregorian calendar from
1970-01-01; month 1 to 12, day 1 to 31, hour 0 to 23, minute and second 0 to 59 are checked, the length of a month is
not (30 February is 2 March), so that the same few operations fit into an ONNX graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

Part = Literal["year", "month", "day"]
TIME = r"(?:[T ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]{1,9})?)?Z?)?"


@dataclass(frozen=True)
class DateFormat:
    """One way to write a date."""

    name: str
    order: tuple[Part, Part, Part]
    separator: str
    padded: bool
    """Whether month and day always have two digits; otherwise one digit will do."""
    example: str

    @property
    def escaped(self) -> str:
        """The separator in a pattern."""
        return self.separator.replace(".", r"\.")

    @property
    def pattern(self) -> str:
        """Matches the whole text and names its parts."""
        short = "[0-9]{2}" if self.padded else "[0-9]{1,2}"
        digits = {"year": "[0-9]{4}", "month": short, "day": short}
        return f"^{self.escaped.join(f'(?P<{part}>{digits[part]})' for part in self.order)}{TIME}$"


DATE_FORMATS = (
    DateFormat("iso", ("year", "month", "day"), "-", True, "2024-05-31T12:30:00.5Z"),
    DateFormat("year-slash", ("year", "month", "day"), "/", True, "2024/05/31"),
    DateFormat("month-first", ("month", "day", "year"), "/", False, "05/31/2024"),
    DateFormat("day-first", ("day", "month", "year"), "/", False, "31/05/2024"),
    DateFormat("day-dot", ("day", "month", "year"), ".", False, "31.05.2024"),
)
"""In the order of choice: where a whole column fits both ways of writing slashes, the month comes first. The time is
optional in each: after `T` or a space, to the minute, the second or a fraction (dropped), with an optional `Z`."""

LIMITS = {"month": (1, 12), "day": (1, 31), "hour": (0, 23), "minute": (0, 59), "second": (0, 59)}


def date_format(name: str) -> DateFormat:
    """The format of this name."""
    return next(each for each in DATE_FORMATS if each.name == name)


def parse_dates(series: pl.Series, name: str) -> pl.Series:
    """Days since 1970-01-01 as Float64 (a time of day is a fraction), null where a text is no date of format `name`."""
    pattern = date_format(name).pattern
    parts = series.str.extract_groups(pattern).struct.unnest()
    numbers = {part: parts[part].cast(pl.Int64, strict=False) for part in parts.columns}
    right = series.str.contains(pattern).fill_null(False)
    for part, (low, high) in LIMITS.items():
        right &= numbers[part].fill_null(low).is_between(low, high)
    days = civil_days(*(numbers[part].fill_null(1).to_numpy() for part in ("year", "month", "day")))
    seconds = sum(
        numbers[part].fill_null(0).to_numpy() * size for part, size in (("hour", 3600), ("minute", 60), ("second", 1))
    )
    found = pl.Series(series.name, days + seconds / 86400.0)
    return pl.select(pl.when(right).then(found).otherwise(None).alias(series.name)).to_series()


def civil_days(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Days since 1970-01-01 of dates given by int64 arrays; floor division only, so that any runtime agrees."""
    shifted = year - (month <= 2)
    century = shifted // 400
    of_era = shifted - century * 400
    of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    return np.asarray(century * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468)


def date_format_of(values: pl.Series, share: float) -> str | None:
    """The first format that at least this share of the (non-null) texts is written in, or the best that reaches it."""
    if values.len() == 0:
        return None
    found = {each.name: 1 - parse_dates(values, each.name).null_count() / values.len() for each in DATE_FORMATS}
    best = max(found, key=lambda name: found[name])
    return best if found[best] >= share else None
