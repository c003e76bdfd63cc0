"""Where rows and fields end in delimited text, by its bytes alone; and whether its quotes are placed so that any
reader agrees on that (RFC 4180): opened at a field's start, closed at its end, doubled within.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dropforge.datasets.faults import DataFault

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUOTE, BREAK, RETURN = ord('"'), ord("\n"), ord("\r")


SLICE = 1 << 18
"""Bytes that are looked at together: few enough to stay in the processor's cache."""


def rows_at_a_glance(text: bytes, delimiter: str, width: int) -> int | None:
    """The rows of text without quotes, when each has `width` fields and a line break; else None, with no reason."""
    if not text or b'"' in text:
        return None
    rows = seen = 0
    for start in range(0, len(text), SLICE):
        part = np.frombuffer(text, np.uint8, min(SLICE, len(text) - start), start)
        marks = np.flatnonzero((part == ord(delimiter)) | (part == BREAK))
        is_break = part[marks] == BREAK
        ends = is_break[width - 1 - seen :: width]
        if not ends.all() or np.count_nonzero(is_break) != len(ends):
            return None
        rows, seen = rows + len(ends), (seen + len(marks)) % width
    return rows if seen == 0 and text[-1] == BREAK else None


def count_rows(text: bytes, delimiter: str, width: int, line: int) -> int | None:
    """The rows of `text`, blank lines included, each of `width` fields; None where quotes are placed freely.

    `line` lines stand before it in the file.

    Raises:
        DataFault: a row of more or fewer fields.
    """
    block = np.frombuffer(text, np.uint8)
    marks = np.flatnonzero((block == ord(delimiter)) | (block == BREAK))
    quotes = np.flatnonzero(block == QUOTE) if b'"' in text else np.zeros(0, np.int64)
    if len(quotes):
        if not well_placed(block, quotes, ord(delimiter)):
            return None
        marks = marks[np.searchsorted(quotes, marks) % 2 == 0]
    is_break = block[marks] == BREAK
    return _checked_rows(block, marks, is_break, width, line)


def _checked_rows(block: NDArray[np.uint8], marks: NDArray[np.int64], is_break: NDArray[np.bool_], width: int,
                  line: int) -> int:  # fmt: skip
    places = np.flatnonzero(is_break)
    ends = marks[places]
    if len(block) and (len(ends) == 0 or ends[-1] != len(block) - 1):
        ends, places = np.append(ends, len(block)), np.append(places, len(marks))
    fields = np.diff(places, prepend=-1)
    for index in np.flatnonzero(fields != width):
        start = int(ends[index - 1]) + 1 if index else 0
        row = block[start : ends[index]].tobytes()
        if row.strip():
            before = block[:start].tobytes().count(b"\n")
            raise ragged(line + before + row.count(b"\n") + 1, int(fields[index]), width)
    return len(ends)


def well_placed(block: NDArray[np.uint8], quotes: NDArray[np.int64], delimiter: int) -> bool:
    """Whether the quotes at the positions `quotes` open at a field's start, close at its end, or are doubled within."""
    if len(quotes) % 2:
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    doubled = closing[:-1] + 1 == opening[1:]
    before = block[np.maximum(opening - 1, 0)]
    opened = (opening == 0) | (before == delimiter) | (before == BREAK)
    opened[1:] |= doubled
    following = np.append(block, np.array([BREAK, BREAK], np.uint8))
    after, second = following[closing + 1], following[closing + 2]
    closed = (after == delimiter) | (after == BREAK) | ((after == RETURN) & (second == BREAK))
    closed[:-1] |= doubled
    return bool(opened.all() and closed.all())


TITLE_LINES = 20
"""Lines at the beginning of a file that can be a title: a wider row among them may follow the true header."""


def ragged(line: int, count: int, width: int) -> DataFault:
    """The fault of a row of another width than the header, that ends in line `line`."""
    fields = "1 field" if count == 1 else f"{count} fields"
    title = (
        "; or, if the file begins with a title and the header stands further down, remove the lines above it"
        if width < count and line <= TITLE_LINES
        else ""
    )
    return DataFault(
        f"line {line} has {fields}, the header has {width}; expected the same number in every row: "
        f"quote fields that hold the delimiter{title}"
    )
