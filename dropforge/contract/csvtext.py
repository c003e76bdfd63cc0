"""Delimited text as it is read everywhere: by the trainer, by the API, by batches and by `predict --file`.

Quotes are taken as people write them (`5" nail` is a text), a line without any text is no row, and the delimiter is
found in the first lines. A file that was trained on is therefore read alike when it is predicted.
"""

from __future__ import annotations

import csv
import io
import re
from itertools import chain
from typing import TYPE_CHECKING

from dropforge.contract.errors import OwnerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DELIMITERS = (",", ";", "\t", "|")
"""In the order of preference when two split the first lines equally well."""

SAMPLE = 256 * 1024
"""Bytes that decide the delimiter."""

LINES = 200
"""Lines that do."""

SEPARATOR_LINE = re.compile('\ufeff?"?sep=([,;\t|])"?[;,\t|]*(\r\n|\r|\n)', re.IGNORECASE)
"""A first line by which Excel is told the delimiter; Excel itself shows it to nobody."""

END = "\ue0ff"
"""A line behind the last, which becomes a row of its own unless a quote is left open."""


class CsvFault(OwnerError, ValueError):
    """A row that cannot be read; `line` is where it ends, counted from 1."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.line = line


def delimiter_of(text: str) -> tuple[str, int]:
    """The delimiter, and how many lines say so above the header: one where a spreadsheet wrote `sep=;`, else none.

    Otherwise it is what splits the first lines into the same number of fields, more than one, or else a comma.
    """
    if told := SEPARATOR_LINE.match(text):
        return told[1], 1
    return max(DELIMITERS, key=lambda delimiter: _evenness(text, delimiter)), 0


def _evenness(text: str, delimiter: str) -> tuple[float, int]:
    """Share of the first lines with as many fields as the header, and that number; (0, 0) for a header of one field."""
    lines = text.splitlines(keepends=True)[:LINES]
    try:
        widths = [len(row) for row in csv.reader(lines[:-1] or lines, delimiter=delimiter) if row]
    except csv.Error:
        return 0.0, 0
    if not widths or widths[0] < 2:
        return 0.0, 0
    return sum(width == widths[0] for width in widths) / len(widths), widths[0]


def rows_of(lines: Iterable[str], delimiter: str, above: int = 0) -> Iterator[tuple[int, list[str]]]:
    """The rows, each with the number of the line that it ends in; the first is the header.

    Args:
        lines: with their line ends; a row whose quotes hold line breaks is in several.
        delimiter: between fields.
        above: lines of the file above these.

    Raises:
        CsvFault: a quote is left open, or a field has more characters than `csv.field_size_limit`.
    """
    reader = csv.reader(chain(lines, (END,)), delimiter=delimiter)
    last: list[str] | None = None
    width = 0
    try:
        for row in reader:
            if row == [END]:
                last = row
                break
            width = width or len(row)
            if len(row) != width and not any(field.strip() for field in row):
                continue
            if row and END in row[-1]:
                break
            yield above + reader.line_num, row
    except csv.Error as fault:
        raise CsvFault(f"{fault}: is a quote left open?", above + reader.line_num) from fault
    if last is None:
        raise CsvFault("a quote is left open", above + reader.line_num - 1)


def lines_of(text: str, delimiter: str | None = None) -> list[list[str]]:
    """The rows of a whole text, the header first; see `rows_of`.

    Args:
        text: without a byte order mark.
        delimiter: found in the text when None.
    """
    skipped = 0
    if delimiter is None:
        delimiter, skipped = delimiter_of(text[:SAMPLE])
    lines = io.StringIO(text, newline="")
    if skipped:
        next(lines)
    return [row for _, row in rows_of(lines, delimiter, skipped)]
