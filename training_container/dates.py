"""One date's text to its parts, in Python: the native half of what `export.dates` does inside the graph."""

from __future__ import annotations

import re

from dropforge.datasets.dates import LIMITS, MODEL_DATE

PARTS = ("year", "month", "day", "hour", "minute", "second")
DATE_PARTS = len(PARTS) + 1
"""Width of an encoded date: its parts, and 1 for 'there is a date'."""

NO_DATE = (0,) * DATE_PARTS
EARLIEST = {"month": 1, "day": 1}


PATTERN = re.compile(MODEL_DATE, re.ASCII)


def parse_date(text: str) -> tuple[int, ...]:
    """The parts of a date as models are given it, then 1; seven zeros for any other text.

    A fraction of a second and a `Z` are read over; a part that is not written is its least value.
    """
    match = PATTERN.fullmatch(text)
    if match is None:
        return NO_DATE
    parts = {name: int(digits) for name, digits in match.groupdict().items() if digits is not None}
    if any(not low <= parts.get(name, low) <= high for name, (low, high) in LIMITS.items()):
        return NO_DATE
    return (*(parts.get(name, EARLIEST.get(name, 0)) for name in PARTS), 1)
