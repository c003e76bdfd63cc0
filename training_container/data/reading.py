"""Files to one table: `sniff` finds how they are written, `read_table` reads them all the same way.

Text formats give every column as text; which columns are numbers or dates is decided afterwards, by `columns`, over
values that still are what was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from training_container.data import streams
from training_container.data.delimited import parse_delimited
from training_container.data.faults import DataFault
from training_container.data.jsonlines import parse_json_lines
from training_container.data.pages import unpacked_size
from training_container.data.parquet import read_parquet
from training_container.data.sniffing import sniff

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dropforge.contract.plan import DataFormat

__all__ = ["MAX_COLUMNS", "SAMPLE_BYTES", "read_table", "sniff", "unpacked_bytes"]

SAMPLE_BYTES = 64 << 20
"""Text that is looked at when only `limit` rows are wanted."""

MAX_COLUMNS = 2000
"""Most columns: each is an input of the model's graph."""


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
    if table.height == 0:
        raise DataFault(
            f"the data have {table.width} columns and no rows; expected rows: check the export that wrote them"
        )
    if table.width < 2:
        raise DataFault(
            f"the data have 1 column, {table.columns[0]!r}; expected a target and something to tell it from: "
            "is the delimiter one of , ; tab |?"
        )
    if table.width > MAX_COLUMNS:
        raise DataFault(f"the data have {table.width} columns; expected at most {MAX_COLUMNS}: leave some out")
    return table if limit is None else table.head(limit)


def unpacked_bytes(paths: Sequence[Path], data_format: DataFormat) -> int:
    """How large the files are once unpacked, together."""
    if data_format.format == "parquet":
        return sum(unpacked_size(path) for path in paths)
    if data_format.gzip:
        return sum(len(block) for path in paths for block in streams.chunks(path, True))
    return sum(path.stat().st_size for path in paths)


def _read(path: Path, data_format: DataFormat, limit: int | None) -> pl.DataFrame:
    if data_format.format == "parquet":
        return read_parquet(path, limit)
    text = _text(path, data_format, None if limit is None else SAMPLE_BYTES)
    if data_format.format == "jsonl":
        return parse_json_lines(text, limit)
    return parse_delimited(text, data_format.delimiter, limit)


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
    raw = raw if whole else _cut(raw)
    _check_text(raw)
    return raw


def _cut(raw: bytes) -> bytes:
    """Without the last line that may be torn; a line break inside quotes (an odd number before it) ends no row.

    Where stray quotes leave the count odd for long, the last line break is as good as any.
    """
    last = end = raw.rfind(b"\n")
    for _ in range(50):
        if raw.count(b'"', 0, max(end, 0)) % 2 == 0:
            return raw[: end + 1]
        end = raw.rfind(b"\n", 0, end)
    return raw[: last + 1]


def _check_text(raw: bytes) -> None:
    at = raw.find(b"\0")
    if at >= 0:
        raise DataFault(f"there is a NUL byte at byte {at}; expected text: export it again as utf-8")
    try:
        raw.decode()
    except UnicodeDecodeError as fault:
        raise DataFault(f"{fault}; expected utf-8 text: save it as utf-8") from fault


def _other_header(path: Path, found: list[str], first: list[str]) -> str:
    missing, more = [name for name in first if name not in found], [name for name in found if name not in first]
    what = f"without {missing}" if missing else f"with {more} more" if more else "in another order"
    return f"{path.name!r} has the header of the first file {what}; expected the same in every part: export them alike"
