"""Reads the rows of a piece in chunks: the model's columns as texts, and the other columns unchanged.

A row that cannot be read becomes a fault with its line number, and reading goes on with the next row.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from dropforge.contract.batch import RowFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BLOCK_BYTES = 1 << 20
"""Bytes that are read at once, and about the longest row."""

CHUNK_ROWS = 4_000
"""How many rows are predicted at once, at most."""


@dataclass
class Chunk:
    """Consecutive rows of the file, and the faults among them."""

    lines: Sequence[int]
    columns: dict[str, Sequence[str]]
    """The texts of each column of the model."""
    kept: Sequence[Any]
    """For each row, the fields of the columns that the model does not read, or the whole record of JSON lines."""
    faults: list[RowFault] = field(default_factory=list)

    def part(self, start: int, end: int) -> Chunk:
        """The rows from `start` to `end`, without the faults."""
        columns = {name: values[start:end] for name, values in self.columns.items()}
        return Chunk(self.lines[start:end], columns, self.kept[start:end])

    def take(self, rows: Sequence[int]) -> Chunk:
        """These rows, without the faults."""
        columns: dict[str, Sequence[str]] = {
            name: [values[row] for row in rows] for name, values in self.columns.items()
        }
        return Chunk([self.lines[row] for row in rows], columns, [self.kept[row] for row in rows])


def whole_lines(blocks: Iterable[bytes]) -> Iterator[str]:
    """The text of the blocks, cut at the ends of lines."""
    rest = b""
    for block in blocks:
        end = block.rfind(b"\n") + 1
        if end:
            yield (rest + block[:end]).decode()
        rest = block[end:] if end else rest + block
    if rest:
        yield rest.decode()


@dataclass(frozen=True)
class Layout:
    """Which fields of a delimited row are the model's, and which are kept unchanged."""

    columns: tuple[str, ...]
    """The columns of the file."""
    delimiter: str
    wanted: tuple[str, ...]
    """The columns of the model."""

    @property
    def kept(self) -> list[str]:
        """Columns that the model does not read."""
        return [name for name in self.columns if name not in self.wanted]

    def chunk(self, lines: Sequence[int], rows: list[list[str]], faults: list[RowFault]) -> Chunk:
        """A chunk of rows that are all as wide as the header."""
        fields = dict(zip(self.columns, zip(*rows, strict=True) if rows else [()] * len(self.columns), strict=True))
        kept = [fields[name] for name in self.kept]
        beside = list(zip(*kept, strict=True)) if kept else [()] * len(rows)
        return Chunk(lines, {name: fields[name] for name in self.wanted}, beside, faults)


def delimited(texts: Iterator[str], layout: Layout, line: int) -> Iterator[Chunk]:
    """Reads the rows of delimited text, given in whole lines.

    As long as every row is one line, as in most files, the csv module reads a block at once. From the first block with
    a line break in quotes, or with an unclosed quote, rows are read one by one.

    Args:
        texts: blocks of whole lines, without a header.
        layout: the columns of the rows.
        line: number of the first line.
    """
    for text in texts:
        rows = _rows_at_once(text, layout.delimiter)
        if rows is None:
            yield from _one_by_one(_Lines(text, texts), layout, line)
            return
        for start in range(0, len(rows), CHUNK_ROWS):
            yield _checked(rows[start : start + CHUNK_ROWS], layout, line + start)
        line += len(rows)


def _rows_at_once(text: str, delimiter: str) -> list[list[str]] | None:
    """The rows if each is one line; None otherwise."""
    quotes = text.count('"')
    if quotes % 2:
        return None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = list(reader)
    except csv.Error:
        return None
    is_open = bool(quotes and rows and rows[-1] and rows[-1][-1].endswith(("\n", "\r")))
    return None if is_open or reader.line_num != len(rows) else rows


def _checked(rows: list[list[str]], layout: Layout, line: int) -> Chunk:
    """A chunk of rows of one line each, without blank lines; rows of another width become faults."""
    width = len(layout.columns)
    if all(len(row) == width for row in rows):
        return layout.chunk(range(line, line + len(rows)), rows, [])
    numbered = list(enumerate(rows, line))
    return _even(numbered, layout, [])


def _even(numbered: list[tuple[int, list[str]]], layout: Layout, faults: list[RowFault]) -> Chunk:
    width = len(layout.columns)
    good = [(line, row) for line, row in numbered if len(row) == width]
    faults += [
        RowFault(line, None, f"expected {width} fields as in the header, got {len(row)}")
        for line, row in numbered
        if len(row) != width and any(field.strip() for field in row)
    ]
    return layout.chunk([line for line, _ in good], [row for _, row in good], faults)


class _LeftOpen(Exception):
    """A quote is not closed within a block's length, or not at all."""


class _Lines:
    """An iterator of lines for the csv module, which reads on as long as a quote is open. Lines can be put back."""

    def __init__(self, first: str, more: Iterator[str]) -> None:
        self._waiting: deque[str] = deque(io.StringIO(first, newline=""))
        self._more = more
        self.taken: list[str] = []
        """The lines of the row that is being read."""
        self._size = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._size > BLOCK_BYTES:
            raise _LeftOpen
        if not self._waiting:
            self._waiting.extend(io.StringIO(next(self._more, ""), newline=""))
        if not self._waiting:
            if self.taken:
                raise _LeftOpen
            raise StopIteration
        line = self._waiting.popleft()
        self.taken.append(line)
        self._size += len(line)
        return line

    def begin(self) -> None:
        """Starts a new row."""
        self.taken, self._size = [], 0

    def put_back(self) -> None:
        """Puts all lines of the row back but its first, and starts a new row."""
        self._waiting.extendleft(reversed(self.taken[1:]))
        self.begin()


def _one_by_one(lines: _Lines, layout: Layout, line: int) -> Iterator[Chunk]:
    faults: list[RowFault] = []
    rows = _numbered(lines, layout.delimiter, line, faults)
    while (batch := list(islice(rows, CHUNK_ROWS))) or faults:
        yield _even(batch, layout, list(faults))
        faults.clear()


def _numbered(lines: _Lines, delimiter: str, line: int, faults: list[RowFault]) -> Iterator[tuple[int, list[str]]]:
    """Line and fields of each row. A line with an unclosed quote is a fault, and reading goes on with the next line."""
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            row = next(reader, None)
        except (csv.Error, _LeftOpen) as fault:
            reason = str(fault) or "a quote is left open"
            faults.append(RowFault(line, None, f"expected a row of delimited text, got none: {reason}"))
            lines.put_back()
            reader, line = csv.reader(lines, delimiter=delimiter), line + 1
            continue
        if row is None:
            return
        yield line, row
        line += len(lines.taken)
        lines.begin()
