"""Delimited text to a table of texts: every column is read as text, so that no code loses its zeros.

Readers fill short rows and rename doubled headers without a word; here both are faults that name the line.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING

import polars as pl

from dropforge.contract.csvtext import CsvFault, rows_of
from dropforge.contract.records import column_names, composed
from dropforge.datasets.faults import DataFault
from dropforge.datasets.layout import count_rows, ragged, rows_at_a_glance
from dropforge.datasets.values import NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

ROWS = 50_000
"""Rows that become columns together where they are read one by one."""

HEADER = 1 << 20
"""Longest header in bytes."""


def parse_delimited(text: bytes, delimiter: str, limit: int | None, line: int = 0) -> pl.DataFrame:
    """The table that UTF-8 `text` holds: String columns, "" where a field is empty, lines without any text left out.

    `line` is how many lines of the file stand above the text, for messages.

    Raises:
        DataFault: no header, doubled or empty names, rows of another width, an unclosed quote.
    """
    frames: list[pl.DataFrame] = []
    for frame in read_delimited(iter([text]), delimiter, line):
        frames.append(frame)
        if limit is not None and sum(each.height for each in frames) >= limit:
            break
    table = pl.concat(frames)
    return table if limit is None else table.head(limit)


def read_delimited(blocks: Iterator[bytes], delimiter: str, line: int = 0) -> Iterator[pl.DataFrame]:
    """The rows of UTF-8 text that comes in blocks of whole rows, the header first; a frame a block, even an empty one.

    Polars reads what every reader takes alike. From the first block on whose quotes are placed freely (`5" nail`),
    Python's reader takes the rows one by one, as people write them.

    Raises:
        DataFault: as `parse_delimited`.
    """
    names: list[str] = []
    for block in blocks:
        is_first = not names
        names = names or header_of(block, delimiter)
        rows = rows_at_a_glance(block, delimiter, len(names)) or count_rows(block, delimiter, len(names), line)
        frame = None if rows is None else _read_block(block, delimiter, names)
        if frame is None or (b'"' in block and frame.height != rows):
            yield from _read_rows(chain([block], blocks), delimiter, names, line, is_first)
            return
        yield _with_text(frame[1:] if is_first else frame)
        line += block.count(b"\n")
    if not names:
        header_of(b"", delimiter)


def _with_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Without the rows of white space alone; few have it in the first column, the others are seldom looked at."""
    if frame.width == 0 or (has_text := frame.to_series(0).str.strip_chars() != "").all():
        return frame
    return frame.filter(has_text | frame.select(pl.any_horizontal(pl.all().str.strip_chars() != "")).to_series())


def _read_block(text: bytes, delimiter: str, names: list[str]) -> pl.DataFrame:
    try:
        return pl.read_csv(
            text, separator=delimiter, quote_char='"' if b'"' in text else None, infer_schema=False,
            empty_string_is_null=False, has_header=False, new_columns=names,
        )  # fmt: skip
    except pl.exceptions.PolarsError as fault:
        what = str(fault).splitlines()[0]
        raise DataFault(f"the rows cannot be read ({what}); expected delimited text: export it again") from fault


def _read_rows(blocks: Iterator[bytes], delimiter: str, names: list[str], line: int, has_header: bool,
               ) -> Iterator[pl.DataFrame]:  # fmt: skip
    lines = io.TextIOWrapper(io.BufferedReader(_Blocks(blocks)), "utf-8", newline="")
    reader = rows_of(lines, delimiter, line)
    try:
        if has_header:
            next(reader)
        rows, is_first = _checked(reader, len(names)), True
        while (block := list(islice(rows, ROWS))) or is_first:
            columns = zip(names, zip(*block, strict=True) if block else [()] * len(names), strict=True)
            yield _with_text(pl.DataFrame({name: pl.Series(values, dtype=pl.String) for name, values in columns}))
            is_first = False
    except CsvFault as fault:
        longest = csv.field_size_limit()
        raise DataFault(
            f"line {fault.line} cannot be read ({fault}); expected fields of at most {longest} characters, and every "
            "quote closed"
        ) from fault


def _checked(rows: Iterator[tuple[int, list[str]]], width: int) -> Iterator[list[str]]:
    for line, row in rows:
        if len(row) == width:
            yield row
        elif any(field.strip() for field in row):
            raise ragged(line, len(row), width)


class _Blocks(io.RawIOBase):
    """Blocks of bytes as one file."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.blocks, self.rest = blocks, memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """The next bytes, 0 at the end."""
        self.rest = self.rest if len(self.rest) else memoryview(next(self.blocks, b""))
        view = memoryview(buffer)
        taken = min(len(view), len(self.rest))
        view[:taken], self.rest = self.rest[:taken], self.rest[taken:]
        return taken


def header_of(text: bytes, delimiter: str) -> list[str]:
    """The names in the first line, stripped.

    Raises:
        DataFault: see `check_names`; or all names are numbers, so that the first line is data.
    """
    lines = io.StringIO(text[:HEADER].decode("utf-8", "ignore"), newline="")
    try:
        names = list(map(composed, column_names(next(csv.reader(lines, delimiter=delimiter), []))))
    except csv.Error as fault:
        raise DataFault(f"the header cannot be read ({fault}); expected one line of names: check its quotes") from fault
    check_names(names)
    if pl.Series(names).str.contains(NUMBER).all():
        raise DataFault(f"the first line is {names[:5]}, all numbers; expected names: put a header line first")
    return names


def check_names(names: list[str]) -> None:
    """Refuses a table without columns, and names that are empty or stand twice, with `DataFault`."""
    if not names or names == [""]:
        raise DataFault("the first line is empty; expected names: put a header line first")
    empty = [at for at, name in enumerate(names, 1) if name == ""]
    if empty:
        raise DataFault(
            f"column {empty[0]} of {len(names)} has no name; expected one a column: name it or leave it out"
        )
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise DataFault(
            f"the header has {doubled[0]!r} {names.count(doubled[0])} times; expected each once: rename one"
        )
