"""Files to one table: `sniff` finds how they are written, `open_table` and `read_table` read them all the same way.

`open_table` is for data of any size: what is more than `IN_MEMORY` unpacked is read once, block by block, checked,
counted (`facts`) and spilled as Parquet to a scratch folder, from which columns are taken one at a time. Memory does
not grow with the rows. `read_table` gives a frame in memory.

Text formats give every column as text; which columns are numbers or dates is decided afterwards, by `columns`, over
values that still are what was written.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from dropforge.datasets import streams
from dropforge.datasets.blocks import check_text, row_end, text_blocks, unix_lines
from dropforge.datasets.delimited import parse_delimited, read_delimited
from dropforge.datasets.faults import DataFault
from dropforge.datasets.jsonlines import parse_json_lines, read_json_lines
from dropforge.datasets.pages import unpacked_size
from dropforge.datasets.parquet import check_types, common_types, read_parquet, read_parquet_blocks
from dropforge.datasets.sheets import read_excel_blocks
from dropforge.datasets.sniffing import sniff
from dropforge.datasets.table import InMemory, Spill
from dropforge.datasets.workbooks import sheet_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dropforge.contract.plan import DataFormat
    from dropforge.datasets.table import Table

__all__ = ["IN_MEMORY", "MAX_COLUMNS", "SAMPLE_BYTES", "open_table", "read_table", "sniff", "unpacked_bytes"]

SAMPLE_BYTES = 64 << 20
"""Text that is looked at when only `limit` rows are wanted."""

IN_MEMORY = 64 << 20
"""Bytes, unpacked, up to which a data set is not worth a scratch folder."""

LARGEST_CELL = 2**20
"""Bytes of one cell."""

MAX_COLUMNS = 2000
"""Most columns: each is an input of the model's graph."""


@contextmanager
def open_table(paths: Sequence[Path], data_format: DataFormat) -> Iterator[Table]:
    """All rows of all files, in the order of `paths`; a scratch folder holds them while the context lasts, when large.

    Raises:
        DataFault: as `read_table`.
    """
    if not _more_than(IN_MEMORY, paths, data_format):
        yield InMemory(read_table(paths, data_format))
        return
    with tempfile.TemporaryDirectory(prefix="dropforge-") as folder:
        spill = Spill(Path(folder))
        first: list[str] = []
        types = common_types(paths) if data_format.format == "parquet" else {}
        for path in paths:
            found: list[str] = []
            for frame in _blocks(path, data_format):
                found = frame.columns
                spill.add(frame.cast(types) if found == list(types) else frame)  # type: ignore[arg-type]
            first = first or found
            if found != first:
                raise DataFault(_other_header(path, found, first))
        check_shape(spill.columns, spill.height)
        yield spill


def read_table(paths: Sequence[Path], data_format: DataFormat, limit: int | None = None) -> pl.DataFrame:
    """All rows of all files, in the order of `paths`; with `limit`, about that many first rows.

    Text formats give String columns ("" for no value). Parquet gives numeric columns and String, null for missing.

    Raises:
        DataFault: a file cannot be read as `data_format` says, has no rows, or another header than the first.
    """
    frames: list[pl.DataFrame] = []
    for path in paths:
        frame = _read(path, data_format, limit)
        if frames and frame.columns != frames[0].columns:
            raise DataFault(_other_header(path, frame.columns, frames[0].columns))
        frames.append(frame)
    table = pl.concat(frames, how="vertical_relaxed") if frames else pl.DataFrame()
    check_shape(table.columns, table.height)
    check_cells(table)
    return table if limit is None else table.head(limit)


def check_shape(columns: Sequence[str], height: int) -> None:
    """Refuses, with `DataFault`, a table without rows, or with too few or too many columns."""
    if height == 0:
        raise DataFault(
            f"the data have {len(columns)} columns and no rows; expected rows: check the export that wrote them"
        )
    if len(columns) < 2:
        raise DataFault(
            f"the data have 1 column, {columns[0]!r}; expected a target and something to tell it from: "
            "is the delimiter one of , ; tab |?"
        )
    if len(columns) > MAX_COLUMNS:
        raise DataFault(f"the data have {len(columns)} columns; expected at most {MAX_COLUMNS}: leave some out")


def check_cells(table: pl.DataFrame) -> None:
    """Refuses, with `DataFault`, a cell that no table has: a quote that was never closed makes one of a whole file."""
    texts = table.select(pl.col(pl.String).str.len_bytes().max().fill_null(0))
    for name, size in zip(texts.columns, texts.row(0) if texts.columns else (), strict=True):
        if size > LARGEST_CELL:
            raise DataFault(
                f"a cell of {name[:60]!r} has {size:,} bytes; expected at most {LARGEST_CELL:,}: is a quotation mark "
                "never closed, or is it a document?"
            )


def unpacked_bytes(paths: Sequence[Path], data_format: DataFormat) -> int:
    """How large the files are once unpacked, together."""
    if data_format.format == "parquet":
        for path in paths:
            check_types(path)
        return sum(unpacked_size(path).values for path in paths)
    if data_format.format == "excel":
        return sum(sheet_bytes(path, data_format.sheet) for path in paths)
    if data_format.gzip:
        return sum(len(block) for path in paths for block in streams.chunks(path, True))
    return sum(path.stat().st_size for path in paths)


def _more_than(size: int, paths: Sequence[Path], data_format: DataFormat) -> bool:
    """Whether the files hold more than `size` bytes unpacked; gzip is unpacked until that is known."""
    if not data_format.gzip:
        return unpacked_bytes(paths, data_format) > size
    found = 0
    for path in paths:
        for block in streams.chunks(path, True):
            found += len(block)
            if found > size:
                return True
    return False


def _blocks(path: Path, data_format: DataFormat) -> Iterator[pl.DataFrame]:
    if data_format.format == "parquet":
        return read_parquet_blocks(path)
    if data_format.format == "excel":
        return read_excel_blocks(path, data_format.sheet)
    blocks = text_blocks(path, data_format)
    return (
        read_json_lines(blocks)
        if data_format.format == "jsonl"
        else read_delimited(blocks, data_format.delimiter, data_format.skipped_lines)
    )


def _read(path: Path, data_format: DataFormat, limit: int | None) -> pl.DataFrame:
    if data_format.format == "parquet":
        return read_parquet(path, limit)
    if data_format.format == "excel":
        return pl.concat(read_excel_blocks(path, data_format.sheet, limit))
    text = _text(path, data_format, None if limit is None else SAMPLE_BYTES)
    if data_format.format == "jsonl":
        return parse_json_lines(text, limit)
    return parse_delimited(text, data_format.delimiter, limit, data_format.skipped_lines)


def _text(path: Path, data_format: DataFormat, size: int | None) -> bytes:
    """The file's text as UTF-8 without a byte order mark; its first `size` bytes, cut at a row's end, when given."""
    if size is None:
        raw, whole = b"".join(streams.chunks(path, data_format.gzip)), True
    else:
        raw, whole = streams.head(path, data_format.gzip, size)
    if data_format.encoding != "utf-8":
        try:
            raw = raw.decode(data_format.encoding, "strict" if whole else "ignore").encode()
        except UnicodeError as fault:
            raise DataFault(f"{fault}; expected {data_format.encoding} text: save it as utf-8") from fault
    raw = b"".join(unix_lines([raw], data_format))
    raw = raw if whole else raw[: row_end(raw)]
    check_text(raw)
    return raw


def _other_header(path: Path, found: list[str], first: list[str]) -> str:
    missing, more = [name for name in first if name not in found], [name for name in found if name not in first]
    what = f"without {missing}" if missing else f"with {more} more" if more else "in another order"
    return f"{path.name!r} has the header of the first file {what}; expected the same in every part: export them alike"
