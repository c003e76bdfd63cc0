"""The rows of a piece, block by block: what the model reads as columns of texts, what it does not read as it came.

A row that cannot be read is a fault that names its line, and the rows around it go on.
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

BLOCK = 1 << 20
"""Bytes that are read together, and about the most that one row may have."""

ROWS = 4_000
"""Most rows that are answered together."""


@dataclass
class Chunk:
    """Some rows in the order of the file, and the faults met among them."""

    lines: Sequence[int]
    columns: dict[str, Sequence[str]]
    """Of the model."""
    kept: Sequence[Any]
    """A row each: the fields of the columns that the model does not read, or the whole record of JSON lines."""
    faults: list[RowFault] = field(default_factory=list)

    def part(self, start: int, end: int) -> Chunk:
        """The rows from `start` to `end`, without the faults."""
        columns = {name: values[start:end] for name, values in self.columns.items()}
        return Chunk(self.lines[start:end], columns, self.kept[start:end])


def whole_lines(blocks: Iterable[bytes]) -> Iterator[str]:
    """The text of the blocks, cut where lines end."""
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
    """Which fields of a delimited row are the model's, and which are kept."""

    columns: tuple[str, ...]
    """Of the file."""
    delimiter: str
    wanted: tuple[str, ...]
    """Of the model."""

    @property
    def kept(self) -> list[str]:
        """Columns that the model does not read."""
        return [name for name in self.columns if name not in self.wanted]

    def chunk(self, lines: Sequence[int], rows: list[list[str]], faults: list[RowFault]) -> Chunk:
        """Rows, each as wide as the header, as a chunk."""
        fields = dict(zip(self.columns, zip(*rows, strict=True) if rows else [()] * len(self.columns), strict=True))
        kept = [fields[name] for name in self.kept]
        beside = list(zip(*kept, strict=True)) if kept else [()] * len(rows)
        return Chunk(lines, {name: fields[name] for name in self.wanted}, beside, faults)


def delimited(texts: Iterator[str], layout: Layout, line: int) -> Iterator[Chunk]:
    """The rows of delimited text that comes in whole lines.

    Where every row is one line, as in most files, the csv module reads a block at once. From the first block on that
    has a line break in quotes, or quotes that do not close, rows are taken one by one.

    Args:
        texts: blocks of whole lines, without a header.
        layout: of the rows.
        line: number of the first line.
    """
    for text in texts:
        rows = _rows_at_once(text, layout.delimiter)
        if rows is None:
            yield from _one_by_one(_Lines(text, texts), layout, line)
            return
        for start in range(0, len(rows), ROWS):
            yield _checked(rows[start : start + ROWS], layout, line + start)
        line += len(rows)


def _rows_at_once(text: str, delimiter: str) -> list[list[str]] | None:
    """The rows when each is one line; None otherwise."""
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
    """Rows of one line each; those of another width are left out and reported, blank lines just left out."""
    width = len(layout.columns)
    if all(len(row) == width for row in rows):
        return layout.chunk(range(line, line + len(rows)), rows, [])
    numbered = [(line + at, row) for at, row in enumerate(rows)]
    return _even(numbered, layout, [])


def _even(numbered: list[tuple[int, list[str]]], layout: Layout, faults: list[RowFault]) -> Chunk:
    width = len(layout.columns)
    good = [(line, row) for line, row in numbered if len(row) == width]
    faults += [
        RowFault(line, None, f"expected {width} fields as in the header, got {len(row)}")
        for line, row in numbered
        if len(row) != width and any(each.strip() for each in row)
    ]
    return layout.chunk([line for line, _ in good], [row for _, row in good], faults)


class _LeftOpen(Exception):
    """A quote that does not close within a block's length, or not at all."""


class _Lines:
    """Lines for the csv module, which asks for more as long as a quote is open; they can be given back."""

    def __init__(self, first: str, more: Iterator[str]) -> None:
        self._waiting: deque[str] = deque(io.StringIO(first, newline=""))
        self._more = more
        self.taken: list[str] = []
        """Of the row that is being read."""
        self._size = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._size > BLOCK:
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
        """A row is read to its end."""
        self.taken, self._size = [], 0

    def give_back(self) -> None:
        """All lines of the row but its first."""
        self._waiting.extendleft(reversed(self.taken[1:]))
        self.begin()


def _one_by_one(lines: _Lines, layout: Layout, line: int) -> Iterator[Chunk]:
    faults: list[RowFault] = []
    rows = _numbered(lines, layout.delimiter, line, faults)
    while (some := list(islice(rows, ROWS))) or faults:
        yield _even(some, layout, list(faults))
        faults.clear()


def _numbered(lines: _Lines, delimiter: str, line: int, faults: list[RowFault]) -> Iterator[tuple[int, list[str]]]:
    """Line and fields of each row; a line whose quote does not close is a fault, and the next line is a row again."""
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            row = next(reader, None)
        except (csv.Error, _LeftOpen) as fault:
            why = str(fault) or "a quote is left open"
            faults.append(RowFault(line, None, f"expected a row of delimited text, got none: {why}"))
            lines.give_back()
            reader, line = csv.reader(lines, delimiter=delimiter), line + 1
            continue
        if row is None:
            return
        yield line, row
        line += len(lines.taken)
        lines.begin()
