"""Delimited text to a table of texts: every column is read as text, so that no code loses its zeros.

Readers fill short rows and rename doubled headers without a word; here both are faults that name the line.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from training_container.data.faults import DataFault
from training_container.data.values import NUMBER

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Iterator

BLOCK = 64 << 20
"""Bytes that the field count looks at together."""

ROWS = 50_000
"""Quoted rows that become columns together."""

HEADER = 1 << 20
"""Longest header in bytes."""


def parse_delimited(text: bytes, delimiter: str, limit: int | None) -> pl.DataFrame:
    """The table that UTF-8 `text` holds: String columns, "" where a field is empty, lines without any text left out.

    Raises:
        DataFault: no header, doubled or empty names, rows of another width, an unclosed quote.
    """
    names = header_of(text, delimiter)
    if b'"' in text:
        frame = _read_quoted(text, delimiter, names, limit)
    else:
        check_widths(text, delimiter, len(names))
        frame = _read_plain(text, delimiter, names, limit)
    return frame.filter(pl.any_horizontal(pl.all().str.strip_chars() != ""))


def _read_plain(text: bytes, delimiter: str, names: list[str], limit: int | None) -> pl.DataFrame:
    try:
        frame = pl.read_csv(
            text, separator=delimiter, quote_char=None, infer_schema=False, empty_string_is_null=False,
            has_header=False, new_columns=names, n_rows=None if limit is None else limit + 1,
        )  # fmt: skip
    except pl.exceptions.PolarsError as fault:
        what = str(fault).splitlines()[0]
        raise DataFault(f"the rows cannot be read ({what}); expected delimited text: export it again") from fault
    return frame[1:]


def _read_quoted(text: bytes, delimiter: str, names: list[str], limit: int | None) -> pl.DataFrame:
    """Row by row: polars takes `5" nail` for an open quote, Python's reader takes it as people write it."""
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(text), "utf-8", newline=""), delimiter=delimiter)
    blocks: list[pl.DataFrame] = []
    try:
        next(reader)
        rows = _checked(reader, len(names)) if limit is None else islice(_checked(reader, len(names)), limit)
        while block := list(islice(rows, ROWS)):
            columns = zip(names, zip(*block, strict=True), strict=True)
            blocks.append(pl.DataFrame({name: pl.Series(values, dtype=pl.String) for name, values in columns}))
    except csv.Error as fault:
        longest = csv.field_size_limit()
        raise DataFault(
            f"line {reader.line_num} cannot be read ({fault}); expected fields of at most {longest} characters: "
            "is a quote left open?"
        ) from fault
    return pl.concat(blocks) if blocks else pl.DataFrame(schema=dict.fromkeys(names, pl.String))


def _checked(reader: Reader, width: int) -> Iterator[list[str]]:
    for row in reader:
        if len(row) == width:
            yield row
        elif any(field.strip() for field in row):
            raise _ragged(reader.line_num, len(row), width)


def header_of(text: bytes, delimiter: str) -> list[str]:
    """The names in the first line, stripped.

    Raises:
        DataFault: see `check_names`; or all names are numbers, so that the first line is data.
    """
    lines = io.StringIO(text[:HEADER].decode("utf-8", "ignore"), newline="")
    try:
        names = [name.strip() for name in next(csv.reader(lines, delimiter=delimiter), [])]
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


def check_widths(text: bytes, delimiter: str, width: int) -> None:
    """Refuses rows of unquoted text with more or fewer fields than the header, with `DataFault`; blank lines pass.

    Without quotes every line break ends a row, so that counting bytes is enough.
    """
    start, line = 0, 0
    while start < len(text):
        end = text.rfind(b"\n", start, start + BLOCK) + 1 or len(text)
        block = np.frombuffer(text, np.uint8, end - start, start)
        ends = np.flatnonzero(block == ord("\n"))
        if text[end - 1] != ord("\n"):
            ends = np.append(ends, len(block))
        fields = np.diff(np.searchsorted(np.flatnonzero(block == ord(delimiter)), ends), prepend=0) + 1
        for at in np.flatnonzero(fields != width):
            if bytes(block[(ends[at - 1] + 1 if at else 0) : ends[at]]).strip():
                raise _ragged(line + int(at) + 1, int(fields[at]), width)
        start, line = end, line + len(ends)


def _ragged(line: int, found: int, width: int) -> DataFault:
    fields = "1 field" if found == 1 else f"{found} fields"
    return DataFault(
        f"line {line} has {fields}, the header has {width}; expected the same number in every row: "
        "quote fields that hold the delimiter"
    )
