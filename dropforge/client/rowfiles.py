"""Rows out of a file, a batch at a time: CSV, TSV, JSON lines, packed or not, Parquet where polars is
installed, and Excel where python-calamine is.

A file is read as the trainer reads a data set: the same encodings, the same choice of a delimiter, names without
surrounding white space, and all values as texts.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import json
import re
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from dropforge.client.batches import MOST_ROWS, Batch
from dropforge.client.drops import checked_file
from dropforge.client.faults import Fault
from dropforge.contract.encodings import is_western
from dropforge.contract.names import format_of
from dropforge.contract.records import column_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

DELIMITERS = (",", ";", "\t", "|")
SAMPLE = 256 * 1024
BLOCK = 1 << 20
SEPARATOR_LINE = re.compile('\ufeff?"?sep=([,;\t|])"?[;,\t|]*[\r\n]', re.IGNORECASE)
"""A first line by which Excel is told the delimiter."""


def of_file(path: Path) -> Iterator[Batch]:
    """Batches of the rows in `path`, read as it goes.

    Raises:
        Fault: no such file, another format, or a line that cannot be read; the message names it.
    """
    kind = format_of(checked_file(path).name)
    if kind == "images":
        raise Fault(f"{path.name} is a data set of pictures: expected rows, or pictures one by one", "file", "file")
    if kind == "parquet":
        return _parquet(path)
    if kind == "excel":
        return _excel(path)
    return _readable_lines(path, _json_lines(path) if kind == "jsonl" else _delimited(path, tab=kind == "tsv"))


def _readable_lines(path: Path, batches: Iterator[Batch]) -> Iterator[Batch]:
    try:
        yield from batches
    except (OSError, EOFError, UnicodeError, csv.Error) as fault:
        raise Fault(f"{path.name} cannot be read: {fault}", "unreadable", "file") from fault


def _delimited(path: Path, *, tab: bool) -> Iterator[Batch]:
    with _text(path) as lines:
        sample = lines.read(SAMPLE)
    line = None if tab else SEPARATOR_LINE.match(sample)
    delimiter = "\t" if tab else line[1] if line else delimiter_of(sample)
    with _text(path) as lines:
        reader = csv.reader(islice(lines, 1, None) if line else lines, delimiter=delimiter, strict=True)
        columns = tuple(column_names(next(filter(None, reader), ())))
        _check_names(path, columns)
        even = _even(path, reader, len(columns), 1 if line else 0)
        while texts := list(islice(even, MOST_ROWS)):
            yield Batch([dict(zip(columns, fields, strict=True)) for fields in texts], columns, texts)


def _even(path: Path, reader: Any, width: int, above: int) -> Iterator[list[str]]:
    """The rows of `reader`, blank lines left out, every one as wide as the header; `above` lines were not read."""
    for fields in filter(None, reader):
        if len(fields) != width:
            line = above + reader.line_num
            message = f"{path.name}: line {line} has {len(fields)} fields: expected {width} as in the header"
            raise Fault(message, "ragged_row", "file")
        yield fields


def _check_names(path: Path, columns: Sequence[str]) -> None:
    if not columns:
        raise Fault(f"{path.name} is empty: expected a header and rows", "empty", "file")
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise Fault(f"{path.name}: column {twice!r} stands twice in the header: rename one", "repeated_column", twice)


def delimiter_of(text: str) -> str:
    """The delimiter that splits the first lines into the same number of fields, more than one; a comma otherwise."""
    return max(DELIMITERS, key=lambda delimiter: _evenness(text, delimiter))


def _evenness(text: str, delimiter: str) -> tuple[float, int]:
    lines = text.splitlines(keepends=True)[:200]
    try:
        widths = [len(fields) for fields in csv.reader(lines[:-1] or lines, delimiter=delimiter) if fields]
    except csv.Error:
        return 0.0, 0
    if not widths or widths[0] < 2:
        return 0.0, 0
    return sum(width == widths[0] for width in widths) / len(widths), widths[0]


def _json_lines(path: Path) -> Iterator[Batch]:
    columns: dict[str, None] = {}
    for _, row in _objects(path, exact=True):
        columns |= dict.fromkeys(row)  # a key that only later rows have is missing in the first
    names = tuple(name.strip() for name in columns)
    _check_names(path, names)
    pairs = zip(_objects(path, exact=False), _objects(path, exact=True), strict=True)
    while taken := list(islice(pairs, MOST_ROWS)):
        texts = [[_as_text(path, line, name, row.get(name)) for name in columns] for _, (line, row) in taken]
        yield Batch([row for (_, row), _ in taken], names, texts)


def _objects(path: Path, *, exact: bool) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of each line; `exact` keeps numbers as the texts that they are written with."""
    how: dict[str, Any] = {"parse_float": str, "parse_int": str, "parse_constant": str} if exact else {}
    with _text(path) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line, **how)
            except (ValueError, RecursionError) as fault:
                raise Fault(f"{path.name}: line {number} is no JSON ({fault})", "not_json", "file") from fault
            if not isinstance(row, dict):
                shown = line.strip()[:40]
                raise Fault(f"{path.name}: line {number} is {shown!r}: expected {{name: value}}", "not_json", "file")
            yield number, row


def _as_text(path: Path, line: int, name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    found = "an object" if isinstance(value, dict) else "a list"
    raise Fault(f"{path.name}: line {line}: {name!r} holds {found}: expected a plain value", "nested", name)


def _parquet(path: Path) -> Iterator[Batch]:
    try:
        import polars as pl
    except ImportError as fault:
        message = f"{path.name}: reading Parquet needs polars: `pip install polars`, or write the rows as CSV"
        raise Fault(message, "needs_polars", "file") from fault
    try:
        frame = pl.read_parquet(path)
        plain = frame.select(_column_as_text(name, dtype) for name, dtype in frame.schema.items()).fill_null("")
    except (pl.exceptions.PolarsError, OSError) as fault:
        raise Fault(f"{path.name} cannot be read: {str(fault).splitlines()[0]}", "unreadable", "file") from fault
    columns = tuple(name.strip() for name in frame.columns)
    _check_names(path, columns)
    for first in range(0, plain.height, MOST_ROWS):
        texts = [list(row) for row in plain.slice(first, MOST_ROWS).iter_rows()]
        yield Batch([dict(zip(columns, fields, strict=True)) for fields in texts], columns, texts)


def _excel(path: Path) -> Iterator[Batch]:
    """The rows of the first visible sheet with values."""
    from dropforge.datasets.excel import choose_sheet, read_sheet
    from dropforge.datasets.faults import DataFault

    try:
        header, rows = read_sheet(path, choose_sheet(path, path.name)[0])
        _check_names(path, header)
        while texts := list(islice(rows, MOST_ROWS)):
            yield Batch([dict(zip(header, fields, strict=True)) for fields in texts], tuple(header), texts)
    except ImportError as fault:
        message = f"{path.name}: reading Excel needs python-calamine: `pip install python-calamine`, or save it as CSV"
        raise Fault(message, "needs_calamine", "file") from fault
    except DataFault as fault:
        raise Fault(f"{path.name}: {fault}", "unreadable", "file") from fault


def _column_as_text(name: str, dtype: Any) -> Any:
    """The column as the trainer reads it: dates in ISO form, NaN as missing."""
    import polars as pl

    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        moment = column.dt.convert_time_zone("UTC") if dtype.time_zone else column
        return moment.dt.strftime("%Y-%m-%dT%H:%M:%S")
    if dtype.is_decimal() or dtype.is_float():
        number = column.cast(pl.Float64)
        return pl.when(number.is_nan()).then(None).otherwise(number).cast(pl.String).alias(name)
    return column.cast(pl.String)


def _text(path: Path) -> IO[str]:
    """The file as text, unpacked, in its encoding."""
    encoding = _encoding(path)
    return (
        gzip.open(path, "rt", encoding=encoding, newline="")
        if _packed(path)
        else path.open(encoding=encoding, newline="")
    )


def _packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _encoding(path: Path) -> str:
    """utf-16 by its mark, utf-8 when every byte fits, cp1252 (which holds what latin-1 prints) otherwise."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with gzip.open(path, "rb") if _packed(path) else path.open("rb") as file:
        block = file.read(BLOCK)
        if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        marked = block.startswith(codecs.BOM_UTF8)
        try:
            while block:
                decoder.decode(block)
                block = file.read(BLOCK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _western(path, block)
    return "utf-8-sig" if marked else "utf-8"


def _western(path: Path, block: bytes) -> str:
    """cp1252 where the text reads like a Western language in it; `Fault` where it does not."""
    if is_western(block.decode("cp1252", "replace")):
        return "cp1252"
    raise Fault(f"{path.name} is not UTF-8 text: expected it to be, save it as UTF-8", "encoding", "file")
