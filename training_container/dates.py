"""One date's text to its parts, in Python: the native half of what `export.dates` does inside the graph."""

from __future__ import annotations

import re
from functools import cache

from dropforge.datasets.dates import LIMITS, date_format

PARTS = ("year", "month", "day", "hour", "minute", "second")
DATE_PARTS = len(PARTS) + 1
"""Width of an encoded date: its parts, and 1 for 'there is a date'."""

NO_DATE = (0,) * DATE_PARTS
EARLIEST = {"month": 1, "day": 1}


@cache
def _pattern(form: str) -> re.Pattern[str]:
    return re.compile(date_format(form).pattern, re.ASCII)


def parse_date(text: str, form: str) -> tuple[int, ...]:
    """The parts of a date written in the format named `form`, then 1; seven zeros for any other text.

    A fraction of a second and a `Z` are read over; a part that is not written is its least value.
    """
    found = _pattern(form).fullmatch(text)
    if found is None:
        return NO_DATE
    parts = {name: int(digits) for name, digits in found.groupdict().items() if digits is not None}
    if any(not low <= parts.get(name, low) <= high for name, (low, high) in LIMITS.items()):
        return NO_DATE
    return (*(parts.get(name, EARLIEST.get(name, 0)) for name in PARTS), 1)
