"""Reads a file on disk once: its header, whether it has the model's columns, and where to cut it.

UTF-8 text is cut in place. Compressed files, other encodings, Parquet and Excel sheets are written again as UTF-8 text.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from dropforge.contract.batch import BatchFile
from dropforge.contract.encodings import encoding_of
from dropforge.contract.names import format_of
from dropforge.contract.records import spelled_as
from dropforge.datasets import streams
from dropforge.datasets.blocks import text_blocks
from dropforge.datasets.delimited import HEADER, header_of
from dropforge.datasets.excel import same_sheet
from dropforge.datasets.faults import DataFault
from dropforge.datasets.reading import sniff
from lambdas.batch.common.jsonlines import json_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    import polars as pl

    from dropforge.contract.plan import DataFormat
    from dropforge.contract.schema import ModelCard
    from lambdas.batch.plan.commas import CommaCensus

IN_PLACE_ENCODING = "utf-8"


@dataclass(frozen=True)
class Cut:
    """A range of whole rows in the file's text, and the number of its first line."""

    start: int
    end: int
    line: int


@dataclass(frozen=True)
class OpenFile:
    """A file's description, and its text without the header, in blocks of whole rows."""

    file: BatchFile
    in_place: bool
    """Whether the pieces are byte ranges of the file itself."""
    start: int
    """Where the text after the header begins, in bytes."""
    line: int
    """Number of the first line after it."""
    blocks: Iterator[bytes]


def open_file(path: Path, name: str, output: str, card: ModelCard) -> OpenFile:
    """Opens the file at `path`, which was dropped as `name`; its predictions are named `output`.

    Raises:
        DataFault: the file cannot be read, or lacks a column of the model.
    """
    data = sniffed(path, name, card)
    if data.format == "parquet":
        return _parquet(path, output, card)
    if data.format == "excel":
        return _excel(path, name, output, data.sheet, card)
    blocks = text_blocks(path, data)
    packing: Any = "gzip" if data.gzip else ""
    if data.format == "jsonl":
        file = BatchFile(output, "jsonl", packing=packing)
        return OpenFile(file, _in_place(data), 0, 1, _with_keys(blocks, name, card))
    first = next(blocks)
    columns = tuple(spelled_as((*card.names, *card.ignored), header_of(first, data.delimiter)))
    check_columns(name, columns, card)
    size, lines = _header_size(first, data.delimiter)
    file = BatchFile(output, "csv", columns, data.delimiter, packing)
    in_place = _in_place(data)
    return OpenFile(
        file, in_place, size if in_place else 0, data.skipped_lines + lines + 1, chain([first[size:]], blocks)
    )


def sniffed(path: Path, name: str, card: ModelCard) -> DataFormat:
    """How the file is written; where its bytes leave it open, as the owner of the model's data set named it."""
    if format_of(name) == "excel":
        return sniff(path, name, sheet=same_sheet(path, card.sheet))
    if not card.encoding or format_of(name) == "parquet":
        return sniff(path, name)
    found = encoding_of(streams.chunks(path, streams.is_gzip(path)), lambda: card.encoding)
    return sniff(path, name, card.encoding if found == card.encoding else None)


def _in_place(data: DataFormat) -> bool:
    return data.encoding == IN_PLACE_ENCODING and not (data.gzip or data.skipped_lines or data.carriage_returns)


def _header_size(text: bytes, delimiter: str) -> tuple[int, int]:
    """The header's bytes and lines."""
    head = text[:HEADER].decode("utf-8", "ignore")
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    next(reader)
    lines = io.StringIO(head, newline="")
    return len("".join(next(lines) for _ in range(reader.line_num)).encode()), reader.line_num


def check_columns(name: str, columns: tuple[str, ...], card: ModelCard) -> None:
    """Refuses, with `DataFault`, a file that lacks columns of the model."""
    missing = [name for name in card.names if name not in columns]
    if missing:
        raise DataFault(
            f"{name!r} has no {', '.join(map(repr, missing))[:500]}; expected every column that the model reads: "
            "`dropforge models` lists them"
        )


def _with_keys(blocks: Iterator[bytes], name: str, card: ModelCard) -> Iterator[bytes]:
    """Yields the blocks, and then checks that every column of the model was a key of some row."""
    wanted = card.names
    seen: set[str] = set()
    for block in blocks:
        if len(seen) < len(wanted):
            chunks = json_lines(iter([block.decode()]), wanted, 1)
            keys = {key for chunk in chunks for record in chunk.kept for key in record}
            seen |= set(spelled_as(wanted, keys)) & set(wanted)
        yield block
    check_columns(name, tuple(seen), card)


def _parquet(path: Path, output: str, card: ModelCard) -> OpenFile:
    from dropforge.datasets.parquet import read_parquet_blocks

    frames = read_parquet_blocks(path)
    columns = tuple(spelled_as((*card.names, *card.ignored), next(frames).columns))
    check_columns(path.name, columns, card)
    commas = _with_commas(card)
    blocks = (as_text(frame, set(card.numbers), commas) for frame in frames)
    return OpenFile(BatchFile(output, "csv", columns, ",", "parquet"), False, 0, 1, blocks)


def _excel(path: Path, name: str, output: str, sheet: str, card: ModelCard) -> OpenFile:
    from dropforge.datasets.sheets import read_excel_blocks

    frames = read_excel_blocks(path, sheet)
    first = next(frames)
    columns = tuple(spelled_as((*card.names, *card.ignored), first.columns))
    check_columns(f"{name}, sheet {sheet}", columns, card)
    commas = _with_commas(card)
    blocks = (_sheet_text(frame.rename(dict(zip(first.columns, columns, strict=True))), commas)
              for frame in chain([first], frames))  # fmt: skip
    return OpenFile(BatchFile(output, "csv", columns, ",", "excel"), False, 0, 1, blocks)


def _with_commas(card: ModelCard) -> set[str]:
    """The columns whose numbers have a decimal comma as text."""
    return {column.name for column in card.columns if column.numbers and column.numbers.decimal == ","}


def _sheet_text(frame: pl.DataFrame, commas: Collection[str]) -> bytes:
    """The texts of a sheet as delimited text; the point that a fraction has there becomes the columns' own mark."""
    import polars as pl

    marked = [pl.col(name).str.replace(r"^(-?[0-9]+)\.([0-9]+)$", "$1,$2") for name in frame.columns if name in commas]
    return frame.with_columns(marked).write_csv(include_header=False).encode()


def as_text(frame: pl.DataFrame, numbers: Collection[str], commas: Collection[str] = ()) -> bytes:
    """The rows of a frame as delimited text; whole floats of columns that are no numbers are codes: 5.0 is `5`.

    Fractions have a comma in the columns `commas`, whose numbers are read so.
    """
    import polars as pl

    texts = []
    for name, kind in frame.schema.items():
        column = pl.col(name).fill_nan(None) if kind.is_float() else pl.col(name)
        text = column.cast(pl.String)
        if kind.is_float() and name not in numbers:
            whole = (column == column.floor()) & (column.abs() < 2.0**63)
            text = pl.when(whole).then(column.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(text)
        if kind.is_float() and name in commas:
            text = text.str.replace(".", ",", literal=True)
        texts.append(text.fill_null("").alias(name))
    return frame.select(texts).write_csv(include_header=False).encode()


def cuts(file: OpenFile, size: int, census: CommaCensus, put: Callable[[bytes], None]) -> Iterator[Cut]:
    """Yields the cuts into pieces of about `size` bytes; at least one, which may be empty.

    Args:
        file: the file.
        size: bytes of a piece.
        census: reads every row.
        put: receives the text, block by block, each before the cut that it belongs to.
    """
    start = end = file.start
    line = after = file.line
    any_cut = False
    for block in file.blocks:
        census.look(block, file.file)
        put(block)
        end, after = end + len(block), after + block.count(b"\n")
        if end - start >= size:
            yield Cut(start, end, line)
            start, line, any_cut = end, after, True
    if end > start or not any_cut:
        yield Cut(start, end, line)
