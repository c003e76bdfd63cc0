"""Rows out of a file, a batch at a time: CSV, TSV, JSON lines, packed or not, Parquet where polars is
installed, and Excel where python-calamine is.

A file is read as the trainer reads a data set, by `dropforge.contract.csvtext`. The values of delimited text are texts;
numbers of JSON and Parquet stay numbers, because texts have a decimal mark and numbers have none.
"""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from dropforge.client.batches import MOST_ROWS, Batch
from dropforge.client.drops import checked_file
from dropforge.client.faults import Fault
from dropforge.contract.csvtext import SAMPLE, CsvFault, delimiter_of, rows_of
from dropforge.contract.encodings import encoding_of
from dropforge.contract.names import format_of
from dropforge.contract.records import column_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

BLOCK = 1 << 20

FRACTION = re.compile(r"-?\d+\.\d+")
"""How a number with a fraction is written by the reader of Excel."""


@dataclass(frozen=True)
class Named:
    """What the owner of a model's data set named of it, and what holds for other files of the model."""

    encoding: str = ""
    """Of text that is not UTF-8."""
    sheet: str | int | None = None
    """Of a workbook."""


def of_file(path: Path, named: Callable[[], Named] = Named) -> Iterator[Batch]:
    """Batches of the rows in `path`, read as it goes.

    Args:
        path: of the file.
        named: returns what is named of such files; it is called where the file itself leaves it open.

    Raises:
        Fault: no such file, another format, or a line that cannot be read; the message names it.
    """
    kind = format_of(checked_file(path).name)
    if kind == "images":
        raise Fault(f"{path.name} is a data set of pictures: expected rows, or pictures one by one", "file", "file")
    if kind == "parquet":
        return _parquet(path)
    if kind == "excel":
        return _excel(path, named)
    return _readable_lines(path, _text_batches(path, kind, named))


def _readable_lines(path: Path, batches: Iterator[Batch]) -> Iterator[Batch]:
    try:
        yield from batches
    except CsvFault as fault:
        raise Fault(f"{path.name} cannot be read: line {fault.line}: {fault}", "unreadable", "file") from fault
    except (OSError, EOFError, UnicodeError) as fault:
        raise Fault(f"{path.name} cannot be read: {fault}", "unreadable", "file") from fault


def _text_batches(path: Path, kind: str | None, named: Callable[[], Named]) -> Iterator[Batch]:
    encoding = _encoding(path, named)
    yield from _json_lines(path, encoding) if kind == "jsonl" else _delimited(path, encoding, tab=kind == "tsv")


def _delimited(path: Path, encoding: str, *, tab: bool) -> Iterator[Batch]:
    with _text(path, encoding) as lines:
        sample = lines.read(SAMPLE)
    delimiter, above = ("\t", 0) if tab else delimiter_of(sample)
    with _text(path, encoding) as lines:
        rows = rows_of(islice(lines, above, None), delimiter, above)
        columns = tuple(column_names(next(rows, (0, []))[1]))
        _check_names(path, columns)
        even = _even(path, rows, len(columns))
        while texts := list(islice(even, MOST_ROWS)):
            yield Batch([dict(zip(columns, fields, strict=True)) for fields in texts], columns, texts)


def _even(path: Path, rows: Iterator[tuple[int, list[str]]], width: int) -> Iterator[list[str]]:
    """The fields of the rows, every one as wide as the header."""
    for line, fields in rows:
        if len(fields) != width:
            message = f"{path.name}: line {line} has {len(fields)} fields: expected {width} as in the header"
            raise Fault(message, "ragged_row", "file")
        yield fields


def _check_names(path: Path, columns: Sequence[str]) -> None:
    if not columns:
        raise Fault(f"{path.name} is empty: expected a header and rows", "empty", "file")
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise Fault(f"{path.name}: column {twice!r} stands twice in the header: rename one", "repeated_column", twice)


def _json_lines(path: Path, encoding: str) -> Iterator[Batch]:
    columns: dict[str, None] = {}
    for line, row in _objects(path, encoding):
        columns |= dict.fromkeys(row)  # a key that only later rows have is missing in the first
        _check_plain(path, line, row)
    names = tuple(name.strip() for name in columns)
    _check_names(path, names)
    rows = (row for _, row in _objects(path, encoding))
    while taken := list(islice(rows, MOST_ROWS)):
        yield Batch(taken, names)


def _objects(path: Path, encoding: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of each line; what JSON has no number for (NaN) is null."""
    with _text(path, encoding) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line, parse_constant=lambda _: None)
            except (ValueError, RecursionError) as fault:
                raise Fault(f"{path.name}: line {number} is no JSON ({fault})", "not_json", "file") from fault
            if not isinstance(row, dict):
                shown = line.strip()[:40]
                raise Fault(f"{path.name}: line {number} is {shown!r}: expected {{name: value}}", "not_json", "file")
            yield number, row


def _check_plain(path: Path, line: int, row: dict[str, Any]) -> None:
    nested = next((name for name, value in row.items() if isinstance(value, dict | list)), None)
    if nested is not None:
        found = "an object" if isinstance(row[nested], dict) else "a list"
        raise Fault(f"{path.name}: line {line}: {nested!r} holds {found}: expected a plain value", "nested", nested)


def _parquet(path: Path) -> Iterator[Batch]:
    try:
        import polars as pl
    except ImportError as fault:
        message = f"{path.name}: reading Parquet needs polars: `pip install polars`, or write the rows as CSV"
        raise Fault(message, "needs_polars", "file") from fault
    try:
        frame = pl.read_parquet(path)
        plain = frame.select(_plain_column(name, dtype) for name, dtype in frame.schema.items())
    except (pl.exceptions.PolarsError, OSError) as fault:
        raise Fault(f"{path.name} cannot be read: {str(fault).splitlines()[0]}", "unreadable", "file") from fault
    columns = tuple(name.strip() for name in frame.columns)
    _check_names(path, columns)
    for first in range(0, plain.height, MOST_ROWS):
        values = plain.slice(first, MOST_ROWS).iter_rows()
        yield Batch([dict(zip(columns, row, strict=True)) for row in values], columns)


def _excel(path: Path, named: Callable[[], Named]) -> Iterator[Batch]:
    """The rows of the sheet that is named, or of the first visible one with values; fractions are numbers, as they are
    in the workbook.
    """
    from dropforge.datasets.excel import choose_sheet, read_sheet, same_sheet
    from dropforge.datasets.faults import DataFault

    try:
        header, rows = read_sheet(path, choose_sheet(path, path.name, same_sheet(path, named().sheet))[0])
        _check_names(path, header)
        while texts := list(islice(rows, MOST_ROWS)):
            values = [[float(text) if FRACTION.fullmatch(text) else text for text in fields] for fields in texts]
            yield Batch([dict(zip(header, fields, strict=True)) for fields in values], tuple(header))
    except ImportError as fault:
        message = f"{path.name}: reading Excel needs python-calamine: `pip install python-calamine`, or save it as CSV"
        raise Fault(message, "needs_calamine", "file") from fault
    except DataFault as fault:
        raise Fault(f"{path.name}: {fault}", "unreadable", "file") from fault


def _plain_column(name: str, dtype: Any) -> Any:
    """The column as the trainer reads it: numbers as they are, NaN as missing, dates in ISO form, the rest as text."""
    import polars as pl

    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        moment = column.dt.convert_time_zone("UTC") if dtype.time_zone else column
        return moment.dt.strftime("%Y-%m-%dT%H:%M:%S")
    if dtype.is_decimal() or dtype.is_float():
        number = column.cast(pl.Float64)
        return pl.when(number.is_finite()).then(number).otherwise(None).alias(name)
    return column if dtype.is_integer() else column.cast(pl.String)


def _text(path: Path, encoding: str) -> IO[str]:
    """The file as text, unpacked."""
    return (
        gzip.open(path, "rt", encoding=encoding, newline="")
        if _packed(path)
        else path.open(encoding=encoding, newline="")
    )


def _packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _encoding(path: Path, named: Callable[[], Named]) -> str:
    with gzip.open(path, "rb") if _packed(path) else path.open("rb") as file:
        return encoding_of(iter(lambda: file.read(BLOCK), b""), lambda: named().encoding)
