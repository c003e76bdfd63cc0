"""How dates are written, and the one spelling that models are given: `2024-05-31T12:30:00`, in UTC.

A column of dates has a rule, which is found over the whole column and travels in the model card. The trainer and every
protocol read with this module, so that the same instant is the same date however it is spelled: by a database, a
spreadsheet, pandas or JavaScript. A text without a zone is in UTC. Only the order of month and day between slashes is
a matter of the rule: `05/31/2024` is plain, for no month has the number 31, and `05/03/2024` is not.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropforge.contract.schema import DateRule

CLOCK = re.compile(
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d{1,9})?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?P<zone>[Zz]|UTC|GMT|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)?(?:\s*(?:UTC|GMT|\[[\w/+-]+\]))?"
)
"""A time of day, in full or to the minute, of 12 or 24 hours, with or without a zone."""

YEAR_FIRST = re.compile(r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})")
COMPACT = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?=[T ])")
DAY_DOT = re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})")
SHORT_YEAR = re.compile(r"(?P<day>\d{2})\.(?P<month>\d{2})\.(?P<year>\d{2})(?!\S)")
COMPACT_CLOCK = re.compile(r"^(\d{2})(\d{2})(\d{2})(?!\d)")
SLASHES = re.compile(r"(?P<first>\d{1,2})(?P<mark>[/-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4})")
DAY_NAME = re.compile(r"(?P<day>\d{1,2})[ -](?P<name>[A-Za-z]{3,9})\.?,?[ -](?P<year>\d{4})")
NAME_DAY = re.compile(r"(?P<name>[A-Za-z]{3,9})\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?,? (?P<year>\d{4})")
WEEKDAY = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? ", re.IGNORECASE)
MONTHS = {name: number for number, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}  # fmt: skip
CANONICAL = re.compile(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])?"
)
"""The spelling that models are given."""

FIRST_OF_LAST_CENTURY = 69

EPOCHS = ((1e8, 1e11, 1), (1e11, 1e14, 10**3), (1e14, 1e17, 10**6), (1e17, 1e20, 10**9))
"""Numbers that are instants: from, below, and how many make a second. The first is 1973; days and years are smaller."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def canonical(text: str, rule: DateRule) -> str | None:
    """The instant as `2024-05-31`, or `2024-05-31T12:30:00` where the text has a time; None for what is no date.

    Args:
        text: without white space around it.
        rule: of the column.
    """
    found = _day(WEEKDAY.sub("", text, count=1), rule)
    if found is None:
        return from_epoch(float(text)) if re.fullmatch(r"\d{9,20}(\.\d+)?", text) else None
    year, month, day, rest = found
    rest = rest.lstrip(", ").removeprefix("T") if rest[:1] in ("T", " ", ",") else rest
    try:
        moment = datetime(year, month, day, tzinfo=UTC)
        if not rest:
            return f"{year:04d}-{month:02d}-{day:02d}"
        at = _moment(moment, rest)
    except (ValueError, OverflowError):
        return None
    return None if at is None else at.isoformat()[:19]


def from_epoch(value: float) -> str | None:
    """The instant of seconds, milli-, micro- or nanoseconds since 1970; None for a number that is none of them."""
    for low, high, parts in EPOCHS:
        if low <= abs(value) < high:
            return (EPOCH + timedelta(seconds=value / parts)).isoformat()[:19]
    return None


def _day(text: str, rule: DateRule) -> tuple[int, int, int, str] | None:
    """Year, month and day at the text's beginning, and what follows."""
    for pattern in (YEAR_FIRST, COMPACT, DAY_DOT, SHORT_YEAR):
        if match := pattern.match(text):
            return _full_year(match["year"]), int(match["month"]), int(match["day"]), text[match.end() :]
    if match := SLASHES.match(text):
        ordered = _ordered(int(match["first"]), int(match["second"]), rule)
        return None if ordered is None else (int(match["year"]), *ordered, text[match.end() :])
    for pattern in (DAY_NAME, NAME_DAY):
        match = pattern.match(text)
        month = MONTHS.get(match["name"][:3].lower()) if match else None
        if match and month:
            return int(match["year"]), month, int(match["day"]), text[match.end() :]
    return None


def _full_year(digits: str) -> int:
    """The year of four digits, or of two: 69 to 99 are of the last century, as POSIX reads them."""
    year = int(digits)
    return year if len(digits) > 2 else year + (1900 if year >= FIRST_OF_LAST_CENTURY else 2000)


def _ordered(first: int, second: int, rule: DateRule) -> tuple[int, int] | None:
    """Month and day of two numbers between slashes; None where only a rule could tell them apart."""
    if first > 12 or second > 12:
        return (second, first) if first > 12 else (first, second)
    if first == second:
        return first, second
    return None if rule.slashes is None else (first, second) if rule.slashes == "month-first" else (second, first)


def _moment(day: datetime, text: str) -> datetime | None:
    """The day at a time of day, in UTC."""
    match = CLOCK.fullmatch(COMPACT_CLOCK.sub(r"\1:\2:\3", text.strip(), count=1))
    if match is None:
        return None
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"][0] in "Pp" else 0)
    zone = match["zone"] or ""
    moment = day.replace(hour=hour, minute=int(match["minute"]), second=min(int(match["second"] or 0), 59))
    if zone[:1] not in ("+", "-"):
        return moment
    digits = zone[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return moment - offset if zone[0] == "+" else moment + offset
